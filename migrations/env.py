"""Runs the migrations on the connection that `app.db.migrate` passes in.

Migrations run only this way: `levitate-clio migrate` holds a lock, so that processes that start together migrate once.
"""

from alembic import context

from app.db.tables import metadata

QUEUE = "pgqueuer"  # the prefix of the queue's tables: they belong to pgqueuer, whose frozen SQL migration 0001 runs


def include_name(name: str | None, kind: str, parents: object) -> bool:
    return not (kind == "table" and name is not None and name.startswith(QUEUE))


connection = context.config.attributes.get("connection")
if connection is None:
    raise SystemExit("Use `levitate-clio migrate`; it finds the database in the configuration.")
context.configure(
    connection=connection,
    target_metadata=metadata,
    include_name=include_name,
    compare_server_default=True,
)
with context.begin_transaction():
    context.run_migrations()
