"""The issues about what Clio sent in a form that cannot be read: records in quarantine, and single values."""

from datetime import datetime

from app.db import issues
from app.db.issues import Finding, Subject
from app.db.mirror import quarantine, unread_values
from app.db.mirror.unread_values import UnreadField
from app.db.session import Session

MAX_NAMED = 50  # quarantined records, or fields, that get an issue of their own
NAMED_RECORDS = 20  # records that the issue of a field names
_KINDS = {"contacts": "contact", "matters": "matter", "relationships": "relationship"}


async def update(session: Session, account_id: str, *, now: datetime) -> None:
    """Open and resolve the issues about quarantined records and unreadable values."""
    await update_quarantine(session, account_id, now=now)
    await update_unread_values(session, account_id, now=now)


async def update_quarantine(session: Session, account_id: str, *, now: datetime) -> None:
    """Open an issue for each record that cannot be read, for the first `MAX_NAMED` of them."""
    aside = await quarantine.list_open(session, account_id, limit=MAX_NAMED)
    findings = [
        Finding(
            "record_quarantined",
            f"A {_KINDS.get(item.resource, item.resource)} in Clio cannot be read ({item.reason}). The last version"
            " that could be read is kept, and each run tries again",
            Subject(_KINDS.get(item.resource, item.resource), str(item.clio_id or "")),
        )
        for item in aside
    ]
    await issues.reconcile(session, account_id, "record_quarantined", findings, now=now)


async def update_unread_values(session: Session, account_id: str, *, now: datetime) -> None:
    """Open an issue for each field of which values cannot be read, with the first records [row 49].

    So a new type of field in Clio opens one issue, not one for each contact.
    """
    found = await unread_values.list_fields(
        session, account_id, limit=MAX_NAMED, records=NAMED_RECORDS + 1
    )
    findings = [
        Finding(
            "value_unreadable",
            _unread_text(one),
            Subject("clio_field", f"{one.resource}.{one.field}"),
        )
        for one in found
    ]
    await issues.reconcile(session, account_id, "value_unreadable", findings, now=now)


def _unread_text(one: UnreadField) -> str:
    ids = [str(clio_id) for clio_id in one.clio_ids]
    more = ", …" if len(ids) > NAMED_RECORDS else ""
    return (
        f"The field {one.field} of {one.resource} in Clio (Clio ids {', '.join(ids[:NAMED_RECORDS])}{more})"
        f" {one.reason}. The last value that could be read is kept, and the rest of each record is up to date"
    )
