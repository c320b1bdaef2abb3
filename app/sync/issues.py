"""Open and resolve issues, in the transaction of the change that causes or ends them."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from app.db import issues
from app.db.accounts import accounts, attorneys, settings
from app.db.connections import connections
from app.db.connections.connections import Connection
from app.db.contacts import documents
from app.db.events import events
from app.db.events.events import EventKind
from app.db.issues import Finding, Subject
from app.db.mirror import catalog, coverage, removals, visibility
from app.db.runs import list_failures, rederivations
from app.db.runs.list_failures import SetAside
from app.db.session import Session
from app.errors import Problem
from app.rules import settings_check
from app.rules.removed_contacts import NOT_VISIBLE
from app.rules.settings_check import Reference
from app.sync import reading_issues

# How long records stay unchanged that only an ended connection could see [S4].
FROZEN_FOR = timedelta(days=30)
MISSING_FIELD = "setting_refers_to_missing_field"
BATCH = 5000  # sightings looked at in one transaction
_EXPIRING = ("relationships", "matters", "contacts")  # in this order
CONNECTION_CODES = ("clio_forbidden", "clio_field_unknown", "relationship_list_capped")
RUN_CODES = ("clio_api_version_gone", "clio_misconfigured", "run_failed")


async def connection_ended(
    session: Session,
    connection: Connection,
    status: connections.Status,
    problem: Problem | None,
    *,
    now: datetime,
) -> bool:
    """End a connection: delete its tokens and open the issues about it [S4, S9].

    Records that only this connection could see stay as they are for `FROZEN_FOR`; an issue lists them. If another user
    now stands for a Clio user, all contacts are assessed again [OW-9]. Return False, and change nothing, if a login
    that Clio refused has been connected again or has ended since it was read.
    """
    account_id, subject = connection.account_id, _login(connection.connection_id)
    await accounts.hold_account(session, account_id)  # the coverage of a large firm takes seconds
    worked = connection.status is connections.Status.CONNECTED
    async with rederivations.after_change(session, account_id, now=now):
        ended = await connections.drop_authorization(session, connection, status, problem)
    if not ended:
        return False
    if worked:
        await connections.mark_left(session, connection, now=now)
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


async def update_coverage(session: Session, account_id: str, *, now: datetime) -> Mapping[str, int]:
    """Open or resolve the issue about records that only ended connections could see.

    Call it when the coverage has changed or a login has begun or ceased to work, because it looks at the whole firm.
    Returns the numbers of records that no connection sees.
    """
    former = {
        connection.connection_id: (connection, left_at)
        for connection, left_at in await connections.list_former(session, account_id)
    }
    counted = await coverage.count_coverage(session, account_id, former.keys())
    findings = []
    for connection_id, alone in counted.alone.items():
        connection, left_at = former[connection_id]
        text = _coverage_text(connection, alone, left_at + FROZEN_FOR)
        findings.append(Finding("coverage_lost", text, _login(connection_id)))
    await issues.reconcile(session, account_id, "coverage_lost", findings, now=now)
    return counted.unseen


def _coverage_text(connection: Connection, alone: coverage.SoleSightings, until: datetime) -> str:
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
        affected = await _count_ever_seen(session, account_id, one)
        text = _set_aside_text(one, affected, now)
        findings.append(Finding("login_set_aside", text, _login(one.connection_id)))
    await issues.reconcile(session, account_id, "login_set_aside", findings, now=now)


async def _count_ever_seen(session: Session, account_id: str, one: SetAside) -> int:
    """Return how many contacts the login has ever seen; count them only if that has changed."""
    if one.ever_seen is not None:
        return one.ever_seen
    counted = await visibility.count_ever_seen(session, account_id, one.connection_id)
    await list_failures.store_ever_seen(session, account_id, one.connection_id, counted)
    return counted


def _set_aside_text(one: SetAside, affected: int, now: datetime) -> str:
    limit = f"Until {one.until:%Y-%m-%d %H:%M} UTC, or until the login is read completely again,"
    ended = f"Since {one.until:%Y-%m-%d %H:%M} UTC the others decide about the {affected} contacts"
    effect = (
        f"{limit} nothing is taken away from the {affected} contacts that it has ever seen"
        if now < one.until
        else f"{ended} that it has ever seen"
    )
    return f"The Clio login of user {one.user_id} was set aside. {one.detail}. {effect}"


@dataclass(frozen=True)
class Place:
    """A place in the sightings of a firm: a kind of record and the Clio id before it."""

    resource: str
    after: int = 0


async def find_expiry(session: Session, account_id: str, *, now: datetime) -> Place | None:
    """Return where `remove_expired` must begin; None if it would find nothing."""
    long_ago = now - FROZEN_FOR
    must = await coverage.must_sweep(session, account_id, left_before=long_ago)
    return Place(_EXPIRING[0]) if must else None


async def remove_expired(
    session: Session, account_id: str, place: Place, *, now: datetime
) -> Place | None:
    """Remove records that only connections could see that ended more than `FROZEN_FOR` ago [S4].

    Looks at the next `BATCH` sightings; returns where to go on, None at the end.
    """
    long_ago, resource = now - FROZEN_FOR, place.resource
    page = await coverage.list_expired(
        session, account_id, resource, left_before=long_ago, after=place.after, limit=BATCH
    )
    await removals.remove_records(session, account_id, resource, page.clio_ids, why=NOT_VISIBLE)
    if page.next is not None:
        return Place(resource, page.next)
    if resource != _EXPIRING[-1]:
        return Place(_EXPIRING[_EXPIRING.index(resource) + 1])
    await coverage.store_sweep(session, account_id, left_before=long_ago)
    return None


async def update_after_pull(
    session: Session,
    account_id: str,
    pulled: Collection[str],
    problems: Sequence[Mapping[str, Any]],
    *,
    now: datetime,
) -> None:
    """Update the issues after a run that read Clio completely as the `pulled` connections."""
    findings = [
        Finding(code, "; ".join(details), _login(connection_id))
        for connection_id in pulled
        for code in CONNECTION_CODES
        if (details := _details(problems, code, connection_id))
    ]
    standing = {(finding.code, finding.subject) for finding in findings}
    logins = {_login(connection_id) for connection_id in pulled}
    codes = (*RUN_CODES, *CONNECTION_CODES, "clio_outage")
    for issue in await issues.list_open(session, account_id, codes):
        is_of_others = issue.code in CONNECTION_CODES and issue.subject not in logins
        if not is_of_others and (issue.code, issue.subject) not in standing:
            await issues.resolve_issues(session, account_id, issue.code, issue.subject, now=now)
    for finding in findings:
        await issues.open_issue(session, account_id, finding, now=now)
    await update_set_aside(session, account_id, now=now)
    await reading_issues.update(session, account_id, now=now)
    if await coverage.take_changes(session, account_id):
        unseen = await update_coverage(session, account_id, now=now)
        await _note_not_visible(session, account_id, unseen, now=now)


def _details(problems: Sequence[Mapping[str, Any]], code: str, connection_id: str) -> list[str]:
    about = (code, connection_id)
    return [one["detail"] for one in problems if (one["code"], one["connection_id"]) == about]


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


async def update_account(session: Session, account_id: str, *, now: datetime) -> None:
    """Open or resolve the issues about the account's primary user and settings [row 5, EN-3]."""
    firm = await attorneys.load_firm_facts(session, account_id)
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


async def _note_not_visible(
    session: Session, account_id: str, counts: Mapping[str, int], *, now: datetime
) -> None:
    findings = []
    if any(counts.values()):
        parts = " and ".join(f"{n} {name}" for name, n in counts.items() if n)
        text = (
            f"No login can see {parts} any more, but Clio does not report them as deleted. They are kept; connect a"
            " login that sees them, or leave them"
        )
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
