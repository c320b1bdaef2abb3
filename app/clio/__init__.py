"""The client for Clio's API: regions, OAuth, resources, pagination, rate limits, webhooks, and the allowed writes.

Nothing here knows accounts, runs or the database. Other folders use `client.ClioClient`, `oauth`, `regions`, `errors`,
`models`, `resources`, `notes`, `webhooks`, `local_rate_limit`, `shared_rate_limit`, and `transport` to build a client.
"""
