"""Claims of webhook endpoints: which process may post to an endpoint, and how the endpoint fares.

One process at a time posts to an endpoint: it claims the endpoint (`claimed_until`) by the database's clock. The
stored time is the fencing token of the claim: each claim and each renewal sets a new one, and `renew_claim` succeeds
only for the time that the process has set itself. A process that hung finds another time there and writes nothing.

A claim locks the endpoint's row so that events can be stored meanwhile: their foreign keys only need the row to stay.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, func, select, update

from app.db.accounts import tables as account_tables
from app.db.events import tables
from app.db.events.endpoints import is_active
from app.db.session import Session

_endpoints = tables.webhook_endpoints
_accounts = account_tables.accounts


@dataclass(frozen=True)
class Claim:
    """The right to post to an endpoint until a time; it is void once another process has claimed the endpoint."""

    endpoint_id: str
    url: str
    failures: int
    failing_since: datetime | None
    served_account_id: str  # the account that was served last
    paused: bool  # after a pause, one event is tried first
    until: datetime

    def with_health(self, health: "EndpointHealth") -> "Claim":
        """Return the claim after the endpoint's health was stored."""
        paused = health.rests_until is not None
        return replace(
            self, failures=health.failures, failing_since=health.failing_since, paused=paused
        )


@dataclass(frozen=True)
class EndpointHealth:
    """The health of an endpoint: groups of posts in a row that failed, since when, and until when nothing is sent."""

    failures: int
    failing_since: datetime | None
    rests_until: datetime | None


async def claim_endpoint(
    session: Session, endpoint_id: str, *, length: timedelta, now: datetime
) -> Claim | None:
    """Claim the endpoint; None if another process has it, or while it is paused, disabled or deleted."""
    clock = func.clock_timestamp()
    free = (
        select(_endpoints.c.endpoint_id)
        .where(_endpoints.c.endpoint_id == endpoint_id, is_active())
        .where(_endpoints.c.rests_until.is_(None) | (_endpoints.c.rests_until <= now))
        .where(_endpoints.c.claimed_until.is_(None) | (_endpoints.c.claimed_until < clock))
        .with_for_update(skip_locked=True, key_share=True)
    )
    claimed = await session.execute(
        update(_endpoints)
        .where(_endpoints.c.endpoint_id == free.scalar_subquery())
        .values(claimed_until=clock + length)
        .returning(_endpoints)
    )
    row = claimed.one_or_none()
    return _claim(row) if row else None


async def renew_claim(session: Session, claim: Claim, *, length: timedelta) -> Claim | None:
    """Renew the claim and return it with the endpoint's health now.

    Returns None if another process has claimed the endpoint or it is off. Otherwise nobody else can claim it until the
    transaction ends.
    """
    renewed = await session.execute(
        update(_endpoints)
        .where(_endpoints.c.endpoint_id == claim.endpoint_id, is_active())
        .where(_endpoints.c.claimed_until == claim.until)
        .values(claimed_until=func.clock_timestamp() + length, served_account_id=_served(claim))
        .returning(_endpoints)
    )
    row = renewed.one_or_none()
    return _claim(row) if row else None


async def release_claim(session: Session, claim: Claim) -> None:
    """Release the claim. Its end stays, as the time at which the endpoint was served last."""
    await session.execute(
        update(_endpoints)
        .where(_endpoints.c.endpoint_id == claim.endpoint_id)
        .where(_endpoints.c.claimed_until == claim.until)
        .values(claimed_until=func.clock_timestamp(), served_account_id=_served(claim))
    )


def _served(claim: Claim) -> ColumnElement[str]:
    """Return the account that was served last, locked against its deletion; empty if it is gone."""
    own = select(_accounts.c.account_id).where(_accounts.c.account_id == claim.served_account_id)
    locked = own.with_for_update(read=True, key_share=True).scalar_subquery()
    return func.coalesce(locked, "")


async def forget_account(session: Session, account_id: str) -> None:
    """Forget which endpoints served an account last, when it is deleted. Delete the account before."""
    served = _endpoints.c.served_account_id == account_id
    await session.execute(update(_endpoints).where(served).values(served_account_id=""))


async def record_health(session: Session, endpoint_id: str, health: EndpointHealth) -> None:
    """Store the health of an endpoint."""
    await session.execute(
        update(_endpoints)
        .where(_endpoints.c.endpoint_id == endpoint_id)
        .values(
            failures=health.failures,
            failing_since=health.failing_since,
            rests_until=health.rests_until,
        )
    )


async def end_pause(session: Session, endpoint_id: str, *, now: datetime) -> None:
    """Let everything that waits go at once, because the receiver has just accepted something."""
    await record_health(session, endpoint_id, EndpointHealth(0, None, None))
    await retry_now(session, endpoint_id, now=now)


async def retry_now(session: Session, endpoint_id: str, *, now: datetime) -> None:
    """Make the deliveries that wait for a retry due, because the receiver works again: a mark, however many wait."""
    await session.execute(
        update(_endpoints).where(_endpoints.c.endpoint_id == endpoint_id).values(hurried_at=now)
    )


def _claim(row: Any) -> Claim:
    return Claim(
        endpoint_id=row.endpoint_id,
        url=row.url,
        failures=row.failures,
        failing_since=row.failing_since,
        served_account_id=row.served_account_id,
        paused=row.rests_until is not None,
        until=row.claimed_until,
    )
