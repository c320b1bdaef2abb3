"""All SQL of the service, as modules of async functions that take the session first.

Every query names its account. No function commits; `session.transaction` and `leases.fenced_transaction` do. Each
folder holds the tables and queries of one task and lists its modules for other folders. Here are the parts without a
folder: `session`, `issues`, `job_queue`, `retention`, `ids`, `cursors`, `json_codec`, `migrate`, `embedded`,
`metadata` (helpers for tables) and `tables` (all tables). No HTTP and no rule of the product belongs here.
"""
