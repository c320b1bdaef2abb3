"""Open and resolve issues, in the transaction of the change that causes or ends them."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from app.db import issues
from app.db.accounts import accounts, settings
from app.db.connections import connections
from app.db.connections.connections import Connection
from app.db.contacts import documents
from app.db.events import events
from app.db.events.events import EventKind
from app.db.issues import Finding, Subject
from app.db.mirror import catalog, quarantine, removals, visibility
from app.db.runs import list_failures
from app.db.runs.list_failures import SetAside
from app.db.session import Session
from app.errors import Problem
from app.rules import settings_check
from app.rules.removed_contacts import NOT_VISIBLE
from app.rules.settings_check import Reference

# How long records stay unchanged that only an ended connection could see [S4].
FROZEN_FOR = timedelta(days=30)
MAX_NAMED = 50  # quarantined records that get an issue of their own
MISSING_FIELD = "setting_refers_to_missing_field"
BATCH = 500  # records removed in one transaction
CONNECTION_CODES = ("clio_forbidden", "clio_field_unknown", "relationship_list_capped")
RUN_CODES = ("clio_api_version_gone", "clio_misconfigured", "run_failed")
_KINDS = {"contacts": "contact", "matters": "matter", "relationships": "relationship"}


async def connection_ended(
    session: Session,
    connection: Connection,
    status: connections.Status,
    problem: Problem | None,
    *,
    now: datetime,
) -> bool:
    """End a connection: delete its tokens and open the issues about it [S4, S9].

    Records that only this connection could see stay as they are for `FROZEN_FOR`; an issue lists them. Return False,
    and change nothing, if a login that Clio refused has been connected again or has ended since it was read.
    """
    await accounts.share_account(session, connection.account_id)
    worked = connection.status is connections.Status.CONNECTED
    if not await connections.drop_authorization(session, connection, status, problem):
        return False
    if worked:
        await connections.mark_left(session, connection, now=now)
    account_id, subject = connection.account_id, _login(connection.connection_id)
    if status is connections.Status.NEEDS_RECONNECT:
        text = f"The Clio login of user {connection.user_id} no longer works. This user must connect again"
        finding = Finding("needs_reconnect", text, subject)
        await issues.open_issue(session, account_id, finding, now=now)
        await _record_event(session, connection, now=now)
    else:
        await issues.resolve_issues(session, account_id, "needs_reconnect", subject, now=now)
    await update_set_aside(session, account_id, now=now)
    await update_coverage(session, account_id, now=now)
    return True


async def _record_event(session: Session, connection: Connection, *, now: datetime) -> None:
    """Record the event on which Levitate asks the user to connect again.

    `connected_at` tells the authorisation that ended, so each one causes one event [S9].
    """
    since = connection.connected_at
    data = {
        "connection_id": connection.connection_id,
        "user_id": connection.user_id,
        "connected_at": since and documents.format_time(since),
    }
    kind, about = EventKind.CONNECTION_NEEDS_RECONNECT, connection.connection_id
    await events.emit(session, connection.account_id, kind, about, data, now=now)


async def connection_works(
    session: Session, account_id: str, connection_id: str, *, now: datetime
) -> None:
    """Resolve the issues of a connection that works, or works again."""
    subject = _login(connection_id)
    await issues.resolve_issues(session, account_id, "needs_reconnect", subject, now=now)
    await update_coverage(session, account_id, now=now)


async def sync_works(session: Session, account_id: str, *, now: datetime) -> None:
    """Resolve the issue that the account is overdue, because a run has read all its lists."""
    await issues.resolve_issues(session, account_id, issues.SYNC_OVERDUE, now=now)


async def update_coverage(session: Session, account_id: str, *, now: datetime) -> None:
    """Open or resolve the issue about records that only ended connections could see."""
    findings = []
    for connection, left_at in await connections.list_former(session, account_id):
        alone = await visibility.count_seen_alone(session, account_id, connection.connection_id)
        if alone.contacts or alone.matters:
            text = _coverage_text(connection, alone, left_at + FROZEN_FOR)
            findings.append(Finding("coverage_lost", text, _login(connection.connection_id)))
    await issues.reconcile(session, account_id, "coverage_lost", findings, now=now)


def _coverage_text(connection: Connection, alone: visibility.SoleSightings, until: datetime) -> str:
    parts = [
        f"{count} {name} (Clio ids {', '.join(map(str, first))}{', …' if count > len(first) else ''})"
        for name, count, first in (
            ("contacts", alone.contacts, alone.first_contacts),
            ("matters", alone.matters, alone.first_matters),
        )
        if count
    ]
    return (
        f"Only the Clio login of user {connection.user_id} could see {' and '.join(parts)}. They are kept"
        f" unchanged until {until.date()}. The first run after that removes them, unless this user connects again or"
        " another user can see them"
    )


async def update_set_aside(session: Session, account_id: str, *, now: datetime) -> None:
    """Tell for each login that was set aside how many contacts its limit affects, and until when [row 53].

    Whoever disconnected is forgotten when the limit has ended.
    """
    findings = []
    for one in await list_failures.list_set_aside(session, account_id):
        if one.has_left and one.until <= now:
            await list_failures.take_back(session, account_id, one.connection_id)
            continue
        affected = await visibility.count_ever_seen(session, account_id, one.connection_id)
        text = _set_aside_text(one, affected, now)
        findings.append(Finding("login_set_aside", text, _login(one.connection_id)))
    await issues.reconcile(session, account_id, "login_set_aside", findings, now=now)


def _set_aside_text(one: SetAside, affected: int, now: datetime) -> str:
    limit = f"Until {one.until:%Y-%m-%d %H:%M} UTC, or until the login is read completely again,"
    ended = f"Since {one.until:%Y-%m-%d %H:%M} UTC the others decide about the {affected} contacts"
    effect = (
        f"{limit} nothing is taken away from the {affected} contacts that it has ever seen"
        if now < one.until
        else f"{ended} that it has ever seen"
    )
    return f"The Clio login of user {one.user_id} was set aside. {one.detail}. {effect}"


async def remove_expired(session: Session, account_id: str, *, now: datetime) -> bool:
    """Remove records that only connections could see that ended more than `FROZEN_FOR` ago [S4].

    Removes at most `BATCH` records of each kind; returns whether there may be more.
    """
    long_ago = now - FROZEN_FOR
    if all(
        left_at >= long_ago for _, left_at in await connections.list_former(session, account_id)
    ):
        return False
    more = False
    for resource in ("relationships", "matters", "contacts"):
        found = await visibility.list_expired(
            session, account_id, resource, left_before=long_ago, limit=BATCH
        )
        await removals.remove_records(session, account_id, resource, found, why=NOT_VISIBLE)
        more = more or len(found) == BATCH
    return more


async def update_after_pull(
    session: Session,
    account_id: str,
    pulled: Collection[str],
    problems: Sequence[Mapping[str, Any]],
    *,
    now: datetime,
) -> None:
    """Update the issues after a run that read Clio completely as the `pulled` connections."""
    for code in RUN_CODES:
        await issues.resolve_issues(session, account_id, code, now=now)
    for connection_id in pulled:
        for code in CONNECTION_CODES:
            details = [
                problem["detail"]
                for problem in problems
                if (problem["code"], problem["connection_id"]) == (code, connection_id)
            ]
            subject = _login(connection_id)
            if details:
                finding = Finding(code, "; ".join(details), subject)
                await issues.open_issue(session, account_id, finding, now=now)
            else:
                await issues.resolve_issues(session, account_id, code, subject, now=now)
    await issues.resolve_issues(session, account_id, "clio_outage", now=now)
    await update_set_aside(session, account_id, now=now)
    await update_quarantine(session, account_id, now=now)
    await update_coverage(session, account_id, now=now)
    await _note_not_visible(session, account_id, now=now)


async def open_for_failed_run(
    session: Session, account_id: str, problems: Sequence[Mapping[str, Any]], *, now: datetime
) -> None:
    """Open the issues of a failed run: a person must act."""
    for problem in problems:
        if problem["code"] == "needs_reconnect" or problem["code"] in CONNECTION_CODES:
            continue
        code = problem["code"] if problem["code"] in RUN_CODES else "run_failed"
        finding = Finding(code, problem["detail"])
        await issues.open_issue(session, account_id, finding, now=now)


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


async def update_account(session: Session, account_id: str, *, now: datetime) -> None:
    """Open or resolve the issues about the account's primary user and settings [row 5, EN-3]."""
    firm = await accounts.load_firm_facts(session, account_id)
    missing = [] if firm.primary_user_id in firm.users else [_PRIMARY_MISSING]
    await issues.reconcile(session, account_id, "primary_user_missing", missing, now=now)
    chosen = (await settings.get_current(session, account_id)).settings
    fields = await catalog.load_custom_fields(session, account_id)
    gone = [
        Finding(MISSING_FIELD, missing_field_text(reference), Subject("setting", reference.pointer))
        for reference in settings_check.unusable_references(chosen, fields)
    ]
    await issues.reconcile(session, account_id, MISSING_FIELD, gone, now=now)


_PRIMARY_MISSING = Finding(
    "primary_user_missing",
    "The account's primary user is not set, is not in the list of Levitate users, or is inactive. Contacts that should"
    " go to the primary user have no owner. Choose another primary user",
)


async def _note_not_visible(session: Session, account_id: str, *, now: datetime) -> None:
    counts = await visibility.count_unseen(session, account_id)
    findings = []
    if any(counts.values()):
        parts = " and ".join(f"{n} {name}" for name, n in counts.items() if n)
        text = f"No login can see {parts} any more, but Clio does not report them as deleted. They are kept"
        findings.append(Finding(NOT_VISIBLE, text))
    await issues.reconcile(session, account_id, NOT_VISIBLE, findings, now=now)


def missing_field_text(reference: Reference) -> str:
    """Return the text about a setting whose custom field is missing, for the issue and the run's problem [EN-3]."""
    return (
        f"The setting {reference.pointer} refers to the custom field {reference.field_id}, which no longer exists"
        " or can no longer be used. Choose another field, or remove this one from the settings"
    )


def _login(connection_id: str) -> Subject:
    return Subject("connection", connection_id)
