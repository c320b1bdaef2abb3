"""All SQL of the service. A repository is a module of async functions that take the session first.

Every question names the account it is about; no function here commits (`session.transaction` does).
"""

import app.db.outbox_tables  # noqa: F401  # its tables belong to the metadata of `tables`
