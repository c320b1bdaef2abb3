"""Events, their deliveries and the webhook endpoints that get them.

Modules for other folders: `events` (emit in the transaction of the change), `deliveries` (claims, attempts, retries),
`endpoints` (endpoints and their secrets). Nothing here posts over HTTP.
"""
