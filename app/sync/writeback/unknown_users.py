"""The issue about activities of users who are not in the directory: one for each account, while any of them waits."""

from datetime import datetime

from app.db import issues
from app.db.accounts import looks
from app.db.issues import Finding
from app.db.outbox import maintenance, outbox
from app.db.session import Session

CODE = "activity_user_unknown"
USERS = 20  # whose activities are queued in one transaction


async def report(session: Session, account_id: str, user_id: str, *, now: datetime) -> None:
    """Open or update the issue, which names this user as an example."""
    text = (
        f"Activities wait because their user is not in the directory of Levitate users, for example those of {user_id}."
        " Levitate's backend must send these users with PUT …/users. Then what waits is written by itself; what waits"
        " for 14 days fails"
    )
    await issues.open_issue(session, account_id, Finding(CODE, text), now=now)


async def look(session: Session, account_id: str, *, now: datetime) -> None:
    """Queue what waits for users who are in the directory now; resolve the issue if nothing waits any more.

    If something was queued there may be more, so the next tick looks again.
    """
    users = await maintenance.list_known_users(session, account_id, limit=USERS)
    for user_id in users:
        await outbox.unblock(session, account_id, user_id)
    if users:
        await looks.look_now(session, looks.Task.OUTBOX, account_id, now=now)
    elif not await maintenance.has_unknown_users(session, account_id):
        await issues.resolve_issues(session, account_id, CODE, now=now)
