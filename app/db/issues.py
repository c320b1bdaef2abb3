"""Issues: problems or facts that somebody should know, with a code (docs/issues.md).

At most one issue of a code is open for a subject. Issues are opened and resolved in the transaction of their cause,
and resolve by themselves.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import BigInteger, ColumnElement, bindparam, case, cast, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert

from app.db import tables
from app.db.accounts import accounts
from app.db.accounts.health import note_change
from app.db.events import events
from app.db.events.events import EventKind
from app.db.ids import new_id
from app.db.list_pages import Listed, ListPage, SortedBy, matching, read_page
from app.db.mirror.audience import EVERYBODY, Audience
from app.db.session import Session, among
from app.errors import AppError

_table = tables.issues
_OPEN_OF = (
    select(_table)
    .where(_table.c.account_id == bindparam("account"), among(_table.c.code, "codes"))
    .where(_table.c.resolved_at.is_(None))
    .order_by(_table.c.issue_id)
)

_BY = SortedBy(_table.c.issue_id, _table.c.opened_at, "iss")

Severity = Literal["info", "warning", "error"]

SEVERITIES: Mapping[str, Severity] = {
    "needs_reconnect": "warning",
    "deauthorization_failed": "warning",
    "sync_overdue": "warning",
    "coverage_lost": "warning",
    "not_visible": "info",
    "clio_api_version_gone": "error",
    "clio_misconfigured": "error",
    "run_failed": "error",
    "setting_refers_to_missing_field": "warning",
    "record_quarantined": "warning",
    "value_unreadable": "warning",
    "clio_outage": "error",
    "login_set_aside": "warning",
    "clio_forbidden": "warning",
    "clio_field_unknown": "warning",
    "primary_user_missing": "warning",
    "listing_shrank": "warning",
    "shrink_held": "warning",
    "new_client_surge": "warning",
    "new_clients_held": "warning",
    "first_publication_held": "warning",
    "relationship_list_capped": "warning",
    "webhook_endpoint_disabled": "error",
    "activity_user_unknown": "warning",
}

RECORD_KINDS = ("contact", "matter", "relationship")  # subjects that are records of Clio, by id
NAMING_RECORDS = frozenset({"coverage_lost", "value_unreadable"})  # in their details, by Clio's id
NOT_SHOWN = (
    "Records in Clio are concerned. They are not named, because this user may not see them there"
)
ENDPOINT_DISABLED = "webhook_endpoint_disabled"
SYNC_OVERDUE = "sync_overdue"


@dataclass(frozen=True)
class IssueFilter:
    """The issues that a list shows; None does not filter."""

    code: str | None = None
    severity: str | None = None


class IssueNotFound(AppError):
    """The account has no such issue."""

    status = 404
    code = "issue_not_found"
    title = "There is no such issue in this account"
    next_step = "GET …/issues lists them"


@dataclass(frozen=True)
class Subject:
    """The subject of an issue; by default the account itself."""

    kind: str = "account"
    id: str = ""


def endpoint_subject(endpoint_id: str) -> Subject:
    """Return a webhook endpoint as a subject."""
    return Subject("webhook_endpoint", endpoint_id)


@dataclass(frozen=True)
class Finding:
    """A problem that was found and belongs into an issue."""

    code: str
    detail: str
    subject: Subject = Subject()
    has_lasted: bool = False  # so long that its issue is an error, whatever the code's severity

    @property
    def severity(self) -> Severity:
        """The severity of its issue."""
        return "error" if self.has_lasted else SEVERITIES.get(self.code, "warning")


@dataclass(frozen=True)
class Issue:
    """An issue; open while `resolved_at` is None."""

    issue_id: str
    code: str
    severity: str
    detail: str
    subject: Subject
    opened_at: datetime
    resolved_at: datetime | None


async def open_issue(
    session: Session, account_id: str, finding: Finding, *, now: datetime
) -> Issue | None:
    """Open an issue, or update detail and severity of the open one; return it if it is new."""
    statement = insert(_table).values(
        account_id=account_id,
        issue_id=new_id("iss", now),
        code=finding.code,
        severity=finding.severity,
        detail=finding.detail,
        subject_kind=finding.subject.kind,
        subject_id=finding.subject.id,
        opened_at=now,
    )
    await accounts.share_account(session, account_id)
    known = await find_open(session, account_id, finding.code, finding.subject)
    if known and (known.detail, known.severity) == (finding.detail, finding.severity):
        return None
    row = (
        await session.execute(
            statement.on_conflict_do_update(
                index_elements=[
                    _table.c[name] for name in ("account_id", "code", "subject_kind", "subject_id")
                ],
                index_where=_table.c.resolved_at.is_(None),
                set_={name: statement.excluded[name] for name in ("detail", "severity")},
            ).returning(_table)
        )
    ).one()
    await note_change(session, account_id)
    if known is not None:
        return None
    issue = _issue(row)
    await _emit(session, account_id, EventKind.ISSUE_OPENED, issue, now=now)
    return issue


async def resolve_issues(
    session: Session, account_id: str, code: str, subject: Subject | None = None, *, now: datetime
) -> list[Issue]:
    """Resolve the open issues of a code, of one subject or of all; return them."""
    await accounts.share_account(session, account_id)
    rows = await session.execute(
        update(_table)
        .where(_open(account_id, code, subject))
        .values(resolved_at=now)
        .returning(_table)
    )
    resolved = [_issue(row) for row in rows]
    if resolved:
        await note_change(session, account_id)
    for issue in resolved:
        await _emit(session, account_id, EventKind.ISSUE_RESOLVED, issue, now=now)
    return resolved


async def _emit(
    session: Session, account_id: str, kind: EventKind, issue: Issue, *, now: datetime
) -> None:
    data = {"issue_id": issue.issue_id, "code": issue.code}
    await events.emit(session, account_id, kind, issue.issue_id, data, now=now)


async def resolve_endpoint_issues(session: Session, endpoint_id: str, *, now: datetime) -> None:
    """Resolve the issues of an endpoint in all accounts, because it gets events again."""
    about = endpoint_subject(endpoint_id)
    found = await session.execute(
        select(_table.c.account_id).where(
            _table.c.code == ENDPOINT_DISABLED,
            _table.c.subject_kind == about.kind,
            _table.c.subject_id == about.id,
            _table.c.resolved_at.is_(None),
        )
    )
    for account_id in sorted(found.scalars()):
        await resolve_issues(session, account_id, ENDPOINT_DISABLED, about, now=now)


async def reconcile(
    session: Session, account_id: str, code: str, findings: Sequence[Finding], *, now: datetime
) -> None:
    """Open an issue for each finding of a code, and resolve the open issues that are not among the findings."""
    found = {finding.subject for finding in findings}
    for issue in await list_open(session, account_id, [code]):
        if issue.subject not in found:
            await resolve_issues(session, account_id, code, issue.subject, now=now)
    for finding in findings:
        await open_issue(session, account_id, finding, now=now)


async def find_open(session: Session, account_id: str, code: str, subject: Subject) -> Issue | None:
    """Return the open issue of a code and subject, or None."""
    query = select(_table).where(_open(account_id, code, subject))
    row = (await session.execute(query)).one_or_none()
    return _issue(row) if row else None


async def list_open(session: Session, account_id: str, codes: Collection[str]) -> list[Issue]:
    """Return the open issues of these codes, oldest first."""
    rows = await session.execute(_OPEN_OF, {"account": account_id, "codes": list(codes)})
    return [_issue(row) for row in rows]


async def list_issues(
    session: Session,
    account_id: str,
    audience: Audience,
    wanted: IssueFilter,
    page: ListPage,
    *,
    is_open: bool | None = None,
) -> Listed[Issue]:
    """Return a page of the issues that the audience may be shown; only open or resolved ones if `is_open` is given."""
    query = select(_table).where(_table.c.account_id == account_id, *matching(_table, wanted))
    query = query.where(*_seen(account_id, audience))
    if is_open is not None:
        query = query.where(
            _table.c.resolved_at.is_(None) if is_open else _table.c.resolved_at.is_not(None)
        )
    return (await read_page(session, query, _BY, page)).of(_issue)


def _seen(account_id: str, audience: Audience) -> list[ColumnElement[bool]]:
    """Return the conditions that an issue may be shown: it is about no record of Clio, or about one that is seen."""
    if audience.login is None:
        return []
    about_record = _table.c.subject_kind.in_(RECORD_KINDS) & (_table.c.subject_id != "")
    clio_id = case((about_record, cast(_table.c.subject_id, BigInteger)))
    seen = [
        (_table.c.subject_kind == kind) & audience.limited_to(f"{kind}s", account_id, clio_id)[0]
        for kind in RECORD_KINDS
    ]
    return [or_(~about_record, *seen)]


def detail_for(audience: Audience, code: str, detail: str) -> str:
    """Return the detail of an issue as an audience may be shown it: without ids of records that it may not see."""
    return NOT_SHOWN if audience.login is not None and code in NAMING_RECORDS else detail


async def resolve_issue(
    session: Session,
    account_id: str,
    issue_id: str,
    *,
    audience: Audience = EVERYBODY,
    now: datetime,
) -> Issue:
    """Resolve an issue on a person's request; a resolved one stays as it is. Raises IssueNotFound."""
    await accounts.share_account(session, account_id)
    one = (_table.c.account_id == account_id) & (_table.c.issue_id == issue_id)
    query = select(_table).where(one, *_seen(account_id, audience)).with_for_update()
    row = (await session.execute(query)).one_or_none()
    if row is None:
        raise IssueNotFound
    if row.resolved_at is None:
        issue = _issue(row)
        await resolve_issues(session, account_id, issue.code, issue.subject, now=now)
        return replace(issue, resolved_at=now)
    return _issue(row)


async def count_open(session: Session, account_id: str, audience: Audience = EVERYBODY) -> int:
    """Return how many issues are open that the audience may be shown, of all severities."""
    query = select(func.count()).select_from(_table).where(_open(account_id))
    query = query.where(*_seen(account_id, audience))
    return int((await session.execute(query)).scalar_one())


def _open(
    account_id: str, code: str | None = None, subject: Subject | None = None
) -> ColumnElement[bool]:
    condition = (_table.c.account_id == account_id) & _table.c.resolved_at.is_(None)
    if code is not None:
        condition &= _table.c.code == code
    if subject is not None:
        condition &= _table.c.subject_kind == subject.kind
        condition &= _table.c.subject_id == subject.id
    return condition


def _issue(row: Any) -> Issue:
    return Issue(
        issue_id=row.issue_id,
        code=row.code,
        severity=row.severity,
        detail=row.detail,
        subject=Subject(row.subject_kind, row.subject_id),
        opened_at=row.opened_at,
        resolved_at=row.resolved_at,
    )
