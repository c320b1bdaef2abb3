"""Webhook endpoints: the URLs to which events are posted, their secrets and their health.

An endpoint belongs to a service token and gets only events of that token's accounts. The row of a deleted endpoint is
only marked, until `app/db/deleted_endpoints.py` has deleted its deliveries; nothing here finds it any more.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, any_, func, insert, literal, select, text, update

from app.db import job_queue
from app.db.accounts import tables as account_tables
from app.db.accounts.service_tokens import BOOTSTRAP_ID
from app.db.events import tables
from app.db.ids import new_id
from app.db.list_pages import Listed, ListPage, SortedBy, read_page
from app.db.session import Session
from app.errors import AppError, Problem
from app.lanes import ENDPOINT_DELETION, Lane, housekeeping_key

_table = tables.webhook_endpoints
_tokens = account_tables.service_tokens
_BY = SortedBy(_table.c.endpoint_id, _table.c.created_at, "whe")
_EXISTS = _table.c.deleted_at.is_(None)

SECRET, OLD_SECRET = "sealed_secret", "sealed_old_secret"  # sealed texts contain these names
MAX_ENDPOINTS = 50  # endpoints of one token


class EndpointNotFound(AppError):
    """No such endpoint, or another token's: the response is the same."""

    status = 404
    code = "endpoint_not_found"
    title = "There is no such webhook endpoint for this token"
    next_step = "GET /v1/webhook-endpoints lists them"


class TooManyEndpoints(AppError):
    """The token has the maximum number of endpoints."""

    status = 409
    code = "too_many_endpoints"
    title = f"A token may have {MAX_ENDPOINTS} webhook endpoints"
    next_step = "delete one that you no longer use"


TOKEN_ENDED = Problem(
    "token_ended", "The service token that made it has ended; create it again with another token"
)


@dataclass(frozen=True)
class Endpoint:
    """A URL to which events are posted."""

    endpoint_id: str
    token_id: str
    url: str
    kinds: tuple[str, ...]
    description: str
    enabled: bool
    problem: Problem | None
    created_at: datetime
    updated_at: datetime
    paused_until: datetime | None = None


@dataclass(frozen=True)
class EndpointSecrets:
    """The sealed secrets of an endpoint: the newest, and the older ones that are valid until `old_until`."""

    sealed: str
    sealed_old: str | None
    old_until: datetime | None


def is_subscribed(account_id: ColumnElement[str], kind: ColumnElement[str]) -> ColumnElement[bool]:
    """Return the SQL condition that an endpoint gets an account's event of a kind."""
    token = _own_token().where(
        _tokens.c.account_ids.is_(None) | (account_id == any_(_tokens.c.account_ids))
    )
    listed = (literal("*") == any_(_table.c.kinds)) | (kind == any_(_table.c.kinds))
    return listed & (_is_of_bootstrap() | token.exists())


def is_active() -> ColumnElement[bool]:
    """Return the SQL condition that an endpoint exists, is enabled and its token is not revoked."""
    return _EXISTS & _table.c.enabled & (_is_of_bootstrap() | _own_token().exists())


def _with_end_of_token() -> Select[Any]:
    """Return the query of endpoints with `token_ended`: whether the endpoint's token has ended."""
    return select(_table, (~(_is_of_bootstrap() | _own_token().exists())).label("token_ended"))


def _own_token() -> Select[Any]:
    """Return the query of the endpoint's token, if it has a row and is not revoked."""
    own = _tokens.c.token_id == _table.c.token_id
    return select(_tokens.c.token_id).where(own, _tokens.c.revoked_at.is_(None))


def _is_of_bootstrap() -> ColumnElement[bool]:
    """Return the condition that the bootstrap token made the endpoint and is not revoked: then it has a row."""
    revoked = select(_tokens.c.token_id).where(_tokens.c.token_id == BOOTSTRAP_ID)
    return (_table.c.token_id == BOOTSTRAP_ID) & ~revoked.exists()


def new_endpoint_id(now: datetime) -> str:
    """Return an id for a new endpoint; its secret is sealed for this id before the row exists."""
    return new_id("whe", now)


async def add_endpoint(session: Session, endpoint: Endpoint, *, sealed_secret: str) -> None:
    """Store an endpoint; raises TooManyEndpoints. A lock per token makes the count of endpoints reliable."""
    alone = text("select pg_advisory_xact_lock(hashtextextended('endpoints/' || :token, 0))")
    await session.execute(alone, {"token": endpoint.token_id})
    if await count_endpoints(session, endpoint.token_id) >= MAX_ENDPOINTS:
        raise TooManyEndpoints
    await session.execute(
        insert(_table).values(
            endpoint_id=endpoint.endpoint_id,
            token_id=endpoint.token_id,
            url=endpoint.url,
            kinds=list(endpoint.kinds),
            description=endpoint.description,
            enabled=True,
            sealed_secret=sealed_secret,
            created_at=endpoint.created_at,
            updated_at=endpoint.updated_at,
        )
    )


async def list_endpoints(
    session: Session, page: ListPage, *, token_id: str | None
) -> Listed[Endpoint]:
    """Return a page of the endpoints; only a token's own if `token_id` is given."""
    query = _with_end_of_token().where(_EXISTS)
    if token_id is not None:
        query = query.where(_table.c.token_id == token_id)
    return (await read_page(session, query, _BY, page)).of(_endpoint)


async def count_endpoints(session: Session, token_id: str) -> int:
    """Return how many endpoints a token has."""
    own = select(func.count()).where(_table.c.token_id == token_id, _EXISTS)
    return int((await session.execute(own)).scalar_one())


async def get_endpoint(session: Session, endpoint_id: str, *, token_id: str | None) -> Endpoint:
    """Return the endpoint if it is the token's (None: any endpoint); raises EndpointNotFound."""
    query = _with_end_of_token().where(_table.c.endpoint_id == endpoint_id, _EXISTS)
    if token_id is not None:
        query = query.where(_table.c.token_id == token_id)
    row = (await session.execute(query)).one_or_none()
    if row is None:
        raise EndpointNotFound
    return _endpoint(row)


async def delete_endpoint(session: Session, endpoint_id: str, *, now: datetime) -> None:
    """Mark the endpoint as deleted: it gets no event and no post any more. A job deletes its deliveries and its row."""
    await _set(session, endpoint_id, enabled=False, kinds=[], claimed_until=None, deleted_at=now)
    key = housekeeping_key(ENDPOINT_DELETION, endpoint_id)
    await job_queue.want(session, Lane.HOUSEKEEPING, key)


async def get_secrets(session: Session, endpoint_id: str, *, lock: bool = False) -> EndpointSecrets:
    """Return the sealed secrets; `lock` prevents another rotation until the transaction ends."""
    stored = (_table.c.sealed_secret, _table.c.sealed_old_secret, _table.c.old_secret_until)
    query = select(*stored).where(_table.c.endpoint_id == endpoint_id, _EXISTS)
    row = (await session.execute(query.with_for_update() if lock else query)).one_or_none()
    if row is None:
        raise EndpointNotFound
    return EndpointSecrets(*row)


async def store_rotated_secret(
    session: Session,
    endpoint_id: str,
    *,
    sealed_secret: str,
    sealed_old_secret: str,
    old_until: datetime,
    now: datetime,
) -> None:
    """Store a new secret; the older ones stay valid until `old_until`."""
    await _set(
        session,
        endpoint_id,
        sealed_secret=sealed_secret,
        sealed_old_secret=sealed_old_secret,
        old_secret_until=old_until,
        updated_at=now,
    )


async def enable_endpoint(session: Session, endpoint_id: str, *, now: datetime) -> None:
    """Enable the endpoint and reset its health; everything that waits is due, and its attempts count again from 0."""
    await _set(
        session,
        endpoint_id,
        enabled=True,
        problem_code=None,
        problem_detail=None,
        failures=0,
        failing_since=None,
        rests_until=None,
        hurried_at=now,
        restarted_at=now,
        updated_at=now,
    )


async def disable_endpoint(
    session: Session, endpoint_id: str, problem: Problem, *, now: datetime
) -> None:
    """Disable the endpoint and end its claim; later events wait for it."""
    await _set(
        session,
        endpoint_id,
        enabled=False,
        claimed_until=None,
        problem_code=problem.code,
        problem_detail=problem.detail,
        updated_at=now,
    )


async def change_endpoint(
    session: Session, endpoint_id: str, changes: Mapping[str, Any], *, now: datetime
) -> None:
    """Change the URL, the kinds or the description of an endpoint."""
    await _set(session, endpoint_id, **changes, updated_at=now)


async def _set(session: Session, endpoint_id: str, **values: Any) -> None:
    own = _table.c.endpoint_id == endpoint_id
    await session.execute(update(_table).where(own, _EXISTS).values(values))


def _endpoint(row: Any) -> Endpoint:
    """Return the endpoint of a row; while its token has ended it counts as disabled for that reason."""
    problem = Problem(row.problem_code, row.problem_detail) if row.problem_code else None
    return Endpoint(
        endpoint_id=row.endpoint_id,
        token_id=row.token_id,
        url=row.url,
        kinds=tuple(row.kinds),
        description=row.description,
        enabled=row.enabled and not row.token_ended,
        problem=TOKEN_ENDED if row.token_ended else problem,
        created_at=row.created_at,
        updated_at=row.updated_at,
        paused_until=row.rests_until,
    )
