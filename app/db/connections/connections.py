"""Connections: a Levitate user's authorisation of a Clio login. Its tokens and OAuth attempts are not here."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, case, func, select, update
from sqlalchemy.dialects.postgresql import insert

from app.db.accounts import looks
from app.db.accounts.health import note_change
from app.db.connections import tables
from app.db.connections.attempts import OAuthAttempt
from app.db.ids import new_id
from app.db.list_pages import Listed, ListPage, SortedBy, read_page
from app.db.session import Session
from app.errors import AppError, Problem

_table = tables.connections
_BY = SortedBy(_table.c.connection_id, _table.c.created_at, "cnx")


class Status(StrEnum):
    """The state of a connection."""

    PENDING = "pending"
    CONNECTED = "connected"
    NEEDS_RECONNECT = "needs_reconnect"
    DISCONNECTED = "disconnected"
    DECLINED = "declined"


# Its login stopped working: the user must connect again, or is just doing that.
_RECONNECTING = (_table.c.status == Status.NEEDS_RECONNECT) | _table.c.reconnect_until.is_not(None)


class ConnectionNotFound(AppError):
    """The account has no such connection."""

    status = 404
    code = "connection_not_found"
    title = "There is no such connection in this account"
    next_step = "GET …/connections lists them"


@dataclass(frozen=True)
class ClioLogin:
    """The Clio user of a connection; `full_view` means that the user sees all contacts [row 32]."""

    clio_user_id: int
    name: str | None
    email: str | None
    full_view: bool


@dataclass(frozen=True)
class Connection:
    """One Levitate user's authorisation of one Clio login.

    `forgets` means that what another Clio user has seen, who had it before, is not yet deleted.
    """

    account_id: str
    connection_id: str
    user_id: str
    region: str
    status: Status
    login: ClioLogin | None
    connected_at: datetime | None
    last_sync_at: datetime | None
    problem: Problem | None
    forgets: bool = False


def connection_of(row: Any) -> Connection:
    """Return the connection of a row."""
    login = None
    if row.clio_user_id is not None:
        login = ClioLogin(row.clio_user_id, row.clio_user_name, row.clio_user_email, row.full_view)
    return Connection(
        account_id=row.account_id,
        connection_id=row.connection_id,
        user_id=row.user_id,
        region=row.region,
        status=Status(row.status),
        login=login,
        connected_at=row.connected_at,
        last_sync_at=row.last_sync_at,
        problem=Problem(row.problem_code, row.problem_detail) if row.problem_code else None,
        forgets=row.forget_after is not None,
    )


def is_connection(account_id: str, connection_id: str) -> ColumnElement[bool]:
    """Return the condition that a row is this connection."""
    return (_table.c.account_id == account_id) & (_table.c.connection_id == connection_id)


async def get_connection(session: Session, account_id: str, connection_id: str) -> Connection:
    """Return the connection; raises ConnectionNotFound."""
    row = (
        await session.execute(select(_table).where(is_connection(account_id, connection_id)))
    ).one_or_none()
    if row is None:
        raise ConnectionNotFound
    return connection_of(row)


async def list_connections(session: Session, account_id: str, page: ListPage) -> Listed[Connection]:
    """Return a page of the account's connections."""
    query = select(_table).where(_table.c.account_id == account_id)
    return (await read_page(session, query, _BY, page)).of(connection_of)


async def list_all(session: Session, account_id: str) -> list[Connection]:
    """Return all connections of the account, by id: at most one per user."""
    own = select(_table).where(_table.c.account_id == account_id)
    rows = await session.execute(own.order_by(_table.c.connection_id))
    return [connection_of(row) for row in rows]


async def list_connected(session: Session, account_id: str) -> list[Connection]:
    """Return the working connections, the widest view first: it pulls first, others fill gaps [S3]."""
    rows = await session.execute(
        select(_table)
        .where(_table.c.account_id == account_id, _table.c.status == Status.CONNECTED)
        .order_by(_table.c.full_view.desc(), _table.c.connection_id)
    )
    return [connection_of(row) for row in rows]


async def list_former(session: Session, account_id: str) -> list[tuple[Connection, datetime]]:
    """Return the connections that worked once and no longer do, each with the time since when."""
    rows = await session.execute(
        select(_table)
        .where(_table.c.account_id == account_id, _table.c.left_at.is_not(None))
        .order_by(_table.c.connection_id)
    )
    return [(connection_of(row), row.left_at) for row in rows]


async def start_connection(
    session: Session,
    account_id: str,
    *,
    user_id: str,
    region: str,
    until: datetime,
    now: datetime,
) -> Connection:
    """Return the user's connection, new or existing: ids and history survive a reconnect [AU-1, S9].

    A working connection stays as it is until the new authorisation arrives. One that needs a reconnect keeps its
    problem, and is in that state again if the user has not finished at `until`.
    """
    statement = insert(_table).values(
        account_id=account_id,
        connection_id=new_id("cnx", now),
        user_id=user_id,
        region=region,
        status=Status.PENDING,
        created_at=now,
    )
    idle = _table.c.status != Status.CONNECTED
    await session.execute(
        statement.on_conflict_do_update(
            index_elements=[_table.c.account_id, _table.c.user_id],
            set_={
                "status": Status.PENDING,
                "region": region,
                "reconnect_until": case((_RECONNECTING, until)),
                "problem_code": case((_RECONNECTING, _table.c.problem_code)),
                "problem_detail": case((_RECONNECTING, _table.c.problem_detail)),
            },
            where=idle,
        )
    )
    own = (_table.c.account_id == account_id) & (_table.c.user_id == user_id)
    return connection_of((await session.execute(select(_table).where(own))).one())


async def mark_connected(
    session: Session, attempt: OAuthAttempt, login: ClioLogin, *, sealed_tokens: str, now: datetime
) -> None:
    """Store the login and the tokens of a new authorisation."""
    await _set(
        session,
        attempt,
        status=Status.CONNECTED,
        region=attempt.region,
        clio_user_id=login.clio_user_id,
        clio_user_name=login.name,
        clio_user_email=login.email,
        full_view=login.full_view,
        sealed_tokens=sealed_tokens,
        refreshing_until=None,
        reconnect_until=None,
        connected_at=now,
        left_at=None,
        problem_code=None,
        problem_detail=None,
    )
    await note_change(session, attempt.account_id)
    await looks.look_now(session, looks.Task.OUTBOX, attempt.account_id, now=now)


async def extend_reconnect(session: Session, attempt: OAuthAttempt, *, until: datetime) -> None:
    """Give a user who connects again more time, because the login must be confirmed."""
    own = is_connection(attempt.account_id, attempt.connection_id)
    began = own & _table.c.reconnect_until.is_not(None)
    await session.execute(update(_table).where(began).values(reconnect_until=until))


async def update_login(session: Session, connection: Connection, login: ClioLogin) -> None:
    """Store what Clio says about the user now: a role may have been added or removed."""
    await _set(
        session,
        connection,
        clio_user_name=login.name,
        clio_user_email=login.email,
        full_view=login.full_view,
    )


async def drop_authorization(
    session: Session, connection: Connection, status: Status, problem: Problem | None
) -> bool:
    """Delete the tokens of an authorisation that is no longer valid; keep the rest.

    `connected_at` tells the authorisation. NEEDS_RECONNECT ends only the one that the caller has seen fail: return
    False if the user has connected again since, or the connection has ended.
    """
    own = is_connection(connection.account_id, connection.connection_id)
    if status is Status.NEEDS_RECONNECT:
        same = _table.c.connected_at.is_not_distinct_from(connection.connected_at)
        own &= (_table.c.status == Status.CONNECTED) & same
    drop = update(_table).where(own).values(_given_up(status, problem))
    dropped = (await session.execute(drop.returning(_table.c.connection_id))).one_or_none()
    if dropped is None:
        return False
    await note_change(session, connection.account_id)
    return True


async def record_failed_attempt(
    session: Session, of: OAuthAttempt, status: Status, problem: Problem
) -> None:
    """Store that an attempt failed. A working connection, e.g. from another attempt, is not changed.

    One that needed a reconnect before the attempt needs it again.
    """
    await session.execute(
        update(_table)
        .where(is_connection(of.account_id, of.connection_id), _table.c.status != Status.CONNECTED)
        .values(
            {
                **_given_up(status, problem),
                "status": case((_RECONNECTING, Status.NEEDS_RECONNECT), else_=status),
            }
        )
    )


def _given_up(status: Status, problem: Problem | None) -> dict[str, Any]:
    return {
        "status": status,
        "sealed_tokens": None,
        "problem_code": problem.code if problem else None,
        "problem_detail": problem.detail if problem else None,
        "reconnect_until": None,
    }


async def give_up_reconnects(session: Session, *, limit: int, now: datetime) -> int:
    """Return some connections to `needs_reconnect` whose user began to connect again and did not finish in time.

    Return how many. Their problem and their issue were kept.
    """
    overdue = (
        select(_table.c.account_id, _table.c.connection_id)
        .where(_table.c.reconnect_until < now, _table.c.status == Status.PENDING)
        .order_by(_table.c.reconnect_until)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    rows = (await session.execute(overdue)).all()
    for row in rows:
        values = {"status": Status.NEEDS_RECONNECT, "reconnect_until": None}
        await session.execute(update(_table).where(is_connection(*row)).values(values))
        await note_change(session, row.account_id)
    return len(rows)


async def mark_left(session: Session, connection: Connection, *, now: datetime) -> None:
    """Store that the connection sees nothing from now on: records that only it saw are frozen [S4]."""
    await _set(session, connection, left_at=func.coalesce(_table.c.left_at, now))


async def mark_synced(session: Session, connection: Connection, *, now: datetime) -> None:
    """Store that a run has pulled everything that this connection sees."""
    await _set(session, connection, last_sync_at=now)


async def _set(session: Session, of: Connection | OAuthAttempt, **values: Any) -> None:
    where = is_connection(of.account_id, of.connection_id)
    await session.execute(update(_table).where(where).values(values))


def count_by_status(connections: list[Connection]) -> Mapping[str, int]:
    """Return how many connections work and how many need their user, for the account's status."""
    return {
        wanted.value: sum(connection.status is wanted for connection in connections)
        for wanted in (Status.CONNECTED, Status.NEEDS_RECONNECT)
    }
