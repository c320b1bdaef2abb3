"""The tables of pgqueuer 1.6.0, frozen

Revision ID: 0001
"""

from pathlib import Path

from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

DDL = Path(__file__).with_name("0001_queue.sql")
UNINSTALL = Path(__file__).with_name("0001_queue_down.sql")


def _run(script: Path) -> None:
    """Run a script of several statements inside the migration's transaction (asyncpg prepares one at a time)."""
    raw = op.get_bind().connection.dbapi_connection
    raw.run_async(lambda connection: connection.execute(script.read_text()))


def upgrade() -> None:
    _run(DDL)


def downgrade() -> None:
    _run(UNINSTALL)
