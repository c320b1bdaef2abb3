"""What happened, told as issues: opened and resolved in the transaction of what causes or ends them."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from app.db import issues
from app.db.accounts import accounts, settings
from app.db.connections import connections
from app.db.connections.connections import Connection, Problem
from app.db.contacts import contacts
from app.db.events import events
from app.db.events.events import EventKind
from app.db.issues import Finding, Subject
from app.db.mirror import catalog, quarantine, removals, visibility
from app.db.session import Session
from app.rules import settings_check
from app.rules.departed import NOT_VISIBLE

FROZEN = timedelta(days=30)  # so long what only a connection that left saw stays as it was [S4]
NAMED = 50  # records that get an issue of their own
AT_ONCE = 500  # records that are withdrawn in one transaction
OF_A_LOGIN = ("clio_forbidden", "clio_field_unknown", "relationship_list_capped")
OF_A_RUN = ("clio_api_version_gone", "clio_misconfigured", "run_failed")
_KINDS = {"contacts": "contact", "matters": "matter", "relationships": "relationship"}


async def login_left(
    session: Session,
    connection: Connection,
    status: connections.Status,
    problem: Problem | None,
    *,
    now: datetime,
) -> None:
    """A login works no longer: its tokens are forgotten, what it alone saw is frozen and named [S4, S9]."""
    worked = connection.status is connections.Status.CONNECTED
    await connections.give_up(session, connection, status, problem)
    if worked:
        await connections.mark_left(session, connection, now=now)
    account_id, subject = connection.account_id, _login(connection.connection_id)
    if status is connections.Status.NEEDS_RECONNECT:
        text = f"The Clio login of user {connection.user_id} works no longer; that user must connect again"
        finding = Finding("needs_reconnect", text, subject)
        await issues.open_issue(session, account_id, finding, now=now)
        await _tell_lost(session, connection, now=now)
    else:
        await issues.resolve(session, account_id, "needs_reconnect", subject, now=now)
    await note_coverage(session, account_id, now=now)


async def _tell_lost(session: Session, connection: Connection, *, now: datetime) -> None:
    """Levitate asks the user to connect again; the authorisation that ended names the occasion [S9]."""
    since = connection.connected_at
    data = {
        "connection_id": connection.connection_id,
        "user_id": connection.user_id,
        "connected_at": since and contacts.zulu(since),
    }
    kind, about = EventKind.CONNECTION_NEEDS_RECONNECT, connection.connection_id
    await events.tell(session, connection.account_id, kind, about, data, now=now)


async def login_works(
    session: Session, account_id: str, connection_id: str, *, now: datetime
) -> None:
    """A login works, or works again."""
    subject = _login(connection_id)
    await issues.resolve(session, account_id, "needs_reconnect", subject, now=now)
    await note_coverage(session, account_id, now=now)


async def note_coverage(session: Session, account_id: str, *, now: datetime) -> None:
    """For each login that left: what it alone saw, and until when that stays as it is."""
    findings = []
    for connection, left_at in await connections.left(session, account_id):
        alone = await visibility.seen_alone(session, account_id, connection.connection_id)
        if alone.contacts or alone.matters:
            text = _coverage_text(connection, alone, left_at + FROZEN)
            findings.append(Finding("coverage_lost", text, _login(connection.connection_id)))
    await issues.bring_up_to_date(session, account_id, "coverage_lost", findings, now=now)


def _coverage_text(connection: Connection, alone: visibility.Alone, until: datetime) -> str:
    parts = [
        f"{count} {name} (Clio ids {', '.join(map(str, first))}{', …' if count > len(first) else ''})"
        for name, count, first in (
            ("contacts", alone.contacts, alone.first_contacts),
            ("matters", alone.matters, alone.first_matters),
        )
        if count
    ]
    return (
        f"Only the login of user {connection.user_id} showed {' and '.join(parts)}. They stay as they are until"
        f" {until.date()} and are withdrawn then, unless that user connects again or another user sees them"
    )


async def withdraw_expired(session: Session, account_id: str, *, now: datetime) -> bool:
    """Withdraw the first of what only logins saw that left long ago; answers whether there may be more [S4]."""
    long_ago = now - FROZEN
    if all(left_at >= long_ago for _, left_at in await connections.left(session, account_id)):
        return False
    more = False
    for resource in ("relationships", "matters", "contacts"):
        found = await visibility.expired(
            session, account_id, resource, left_before=long_ago, limit=AT_ONCE
        )
        await removals.remove(session, account_id, resource, found, why=NOT_VISIBLE)
        more = more or len(found) == AT_ONCE
    return more


async def note_pulled(
    session: Session,
    account_id: str,
    pulled: Collection[str],
    problems: Sequence[Mapping[str, Any]],
    *,
    now: datetime,
) -> None:
    """A run has read Clio as these connections to its end, with these problems."""
    for code in OF_A_RUN:
        await issues.resolve(session, account_id, code, now=now)
    for connection_id in pulled:
        for code in OF_A_LOGIN:
            told = [
                problem["detail"]
                for problem in problems
                if (problem["code"], problem["connection_id"]) == (code, connection_id)
            ]
            subject = _login(connection_id)
            if told:
                finding = Finding(code, "; ".join(told), subject)
                await issues.open_issue(session, account_id, finding, now=now)
            else:
                await issues.resolve(session, account_id, code, subject, now=now)
    await note_quarantine(session, account_id, now=now)
    await note_coverage(session, account_id, now=now)
    await _note_not_visible(session, account_id, now=now)


async def note_failed(
    session: Session, account_id: str, problems: Sequence[Mapping[str, Any]], *, now: datetime
) -> None:
    """A run has failed: somebody must act."""
    for problem in problems:
        if problem["code"] == "needs_reconnect" or problem["code"] in OF_A_LOGIN:
            continue
        code = problem["code"] if problem["code"] in OF_A_RUN else "run_failed"
        finding = Finding(code, problem["detail"])
        await issues.open_issue(session, account_id, finding, now=now)


async def note_quarantine(session: Session, account_id: str, *, now: datetime) -> None:
    """The records that cannot be read, by name while they are few enough."""
    aside = await quarantine.still_aside(session, account_id, limit=NAMED)
    findings = [
        Finding(
            "record_quarantined",
            f"A {_KINDS.get(item.resource, item.resource)} cannot be read ({item.reason}); what was known of it"
            " stays, and each run tries it again",
            Subject(_KINDS.get(item.resource, item.resource), str(item.clio_id or "")),
        )
        for item in aside
    ]
    await issues.bring_up_to_date(session, account_id, "record_quarantined", findings, now=now)


async def note_firm(session: Session, account_id: str, *, now: datetime) -> None:
    """What the account's own directory and settings lack [row 5, EN-3]."""
    firm = await accounts.firm_facts(session, account_id)
    missing = [] if firm.primary_user_id in firm.users else [_PRIMARY_MISSING]
    await issues.bring_up_to_date(session, account_id, "primary_user_missing", missing, now=now)
    chosen = (await settings.current(session, account_id)).settings
    fields = await catalog.custom_fields(session, account_id)
    gone = [
        Finding(
            "setting_refers_to_missing_field",
            f"The setting {reference.pointer} refers to the custom field {reference.field_id}, which is no longer"
            " there or no longer usable; choose another or take it out",
            Subject("setting", reference.pointer),
        )
        for reference in settings_check.gone(chosen, fields)
    ]
    await issues.bring_up_to_date(
        session, account_id, "setting_refers_to_missing_field", gone, now=now
    )


_PRIMARY_MISSING = Finding(
    "primary_user_missing",
    "The account's primary user is not set, unknown or inactive: contacts that fall to that user have no owner",
)


async def _note_not_visible(session: Session, account_id: str, *, now: datetime) -> None:
    counts = await visibility.count_unseen(session, account_id)
    findings = []
    if any(counts.values()):
        parts = " and ".join(f"{n} {name}" for name, n in counts.items() if n)
        text = f"{parts} are shown to no login any more, though Clio does not say that they are deleted; they stay"
        findings.append(Finding(NOT_VISIBLE, text))
    await issues.bring_up_to_date(session, account_id, NOT_VISIBLE, findings, now=now)


def _login(connection_id: str) -> Subject:
    return Subject("connection", connection_id)
