"""Activities of an account that wait to be sent, written to the database without the API."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import func, insert

from app.db.outbox import tables
from app.db.session import Session
from app.main import now


def waiting_activity(account_id: str, number: int, **more: Any) -> dict[str, Any]:
    """Return the row of a note of Ann that is queued and may be sent at once, with some differences."""
    usual = {
        "account_id": account_id,
        "activity_id": f"act_{number:06}",
        "kind": "note",
        "status": "queued",
        "user_id": "u_ann",
        "clio_contact_id": 1001,
        "place": number,
        "occurred_at": now(),
        "time_zone": "UTC",
        "local_date": now().date(),
        "subject": "x",
        "body": "x",
        "created_at": now(),
        "due_at": None,
    }
    return {**usual, **more}


async def store_waiting(
    session: Session, rows: Sequence[dict[str, Any]], *, leased: dict[tuple[str, int], int]
) -> None:
    """Store activities and the leases of their contacts; `leased` are seconds until a lease ends, which may be past."""
    for account_id, contact_id in {(row["account_id"], row["clio_contact_id"]) for row in rows}:
        left = leased.get((account_id, contact_id))
        until = None if left is None else func.clock_timestamp() + timedelta(seconds=left)
        lease = {"account_id": account_id, "clio_contact_id": contact_id, "accepted": 99}
        await session.execute(insert(tables.activity_turns).values(leased_until=until, **lease))
    if rows:
        await session.execute(insert(tables.activities), rows)
