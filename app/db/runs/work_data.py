"""Rows that only a run at work needs."""

from app.db.runs import list_failures, listed_ids, lookups, named_records, run_logins
from app.db.session import Session


async def delete_all(session: Session, account_id: str, run_id: str) -> None:
    """Delete what only the run needed, when it has ended."""
    await listed_ids.delete_pages(session, account_id, run_id)
    await list_failures.delete_failures(session, account_id, run_id)
    await run_logins.delete_logins(session, account_id, run_id)
    await lookups.delete_lookups(session, account_id, run_id)
    await named_records.delete_records(session, account_id, run_id)
