"""Failures and pauses of one login's lists: they do not stop the other logins of the firm [row 53].

A list that fails is skipped in this attempt, and everything else is read. Afterwards a login is set aside for the rest
of the run if another login could read what it could not. If no login can, it is an outage, and the run is interrupted.
A rate limit, a spent budget, a login that must reconnect and our own shutdown are no failures.
"""

from collections.abc import Coroutine, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import structlog

from app.clio.call_budget import BudgetSpent
from app.clio.errors import (
    ClioError,
    ClioMisconfigured,
    ClioRateLimited,
    ClioReauthRequired,
    ClioRetryLater,
)
from app.db import issues as issue_store
from app.db.issues import Finding
from app.db.runs import list_failures, runs
from app.db.runs.leases import fenced_transaction
from app.db.runs.list_failures import ListFailure
from app.errors import Problem
from app.sync import issues
from app.sync.concurrency import Paused
from app.sync.pull.listings import SMALL_LISTS, Listing
from app.sync.pull.reader import ConnectionReader

WHO_AM_I = "who_am_i"
ATTEMPTS = 3
RETRY_AFTER = timedelta(minutes=1)
_SMALL = frozenset(listing.name for listing in SMALL_LISTS)

log = structlog.get_logger(__name__)


class PullPostponed(Exception):
    """A list could not be read; the run continues after `after`. `problems` says what failed."""

    def __init__(self, problems: list[dict[str, object]], after: timedelta) -> None:
        super().__init__("A list of Clio could not be read")
        self.problems, self.after = problems, after


async def noting_failure(
    reader: ConnectionReader, resource: str, step: Coroutine[Any, Any, None]
) -> None:
    """Do a step that reads a list; note a failure or a pause of the list on the reader instead of raising it.

    A list that failed while others go on is not read before its next try. A call that can only be tried again after the
    budget's end is a pause if the list came on in this attempt, and otherwise its failure: the next attempt would begin
    with the same call.
    """
    wait = _wait_of(reader, resource)
    if wait > timedelta(0):
        step.close()
        reader.pauses.append(wait)
        return
    try:
        await step
    except ClioReauthRequired:
        raise
    except BudgetSpent as spent:
        if spent.failure is None or resource in reader.moved:
            reader.pauses.append(timedelta(0))
        else:
            _note_failure(reader, resource, spent.failure)
    except ClioError as error:
        if isinstance(error, ClioRateLimited):
            reader.limited = error
            reader.pauses.append(error.after)
        else:
            _note_failure(reader, resource, error)


def _wait_of(reader: ConnectionReader, resource: str) -> timedelta:
    now = reader.services.now()
    return reader.login.waits.get(resource, now) - now


def _note_failure(reader: ConnectionReader, resource: str, error: ClioError) -> None:
    log.warning("list_failed", resource=resource, reason=error.code)
    reader.failed[resource] = error


async def settle_or_pause(
    readers: Sequence[ConnectionReader],
    problems: list[dict[str, object]],
    elsewhere: frozenset[str] = frozenset(),
) -> list[ConnectionReader]:
    """Decide about the failures as `settle` does; raise Paused if a login has not done what it can do.

    The lists that failed are then read again after a while, and the others go on meanwhile.
    """
    waits = [reader.wait for reader in readers if reader.pauses]
    if not waits:
        return await settle(readers, elsewhere)
    try:
        with suppress(ClioMisconfigured):  # another login may still be able to read the list
            await settle(readers, elsewhere)
    except PullPostponed as postponed:
        problems += postponed.problems
    for reader in readers:
        if reader.failed:
            waits.append(again := _retry_after(reader))
            until = dict.fromkeys(reader.failed, reader.services.now() + again)
            reader.note(waits={**reader.login.waits, **until})
            await reader.save()
        if reader.limited is not None:
            problem = Problem(reader.limited.code, str(reader.limited))
            problems.append(runs.problem_row(problem, reader.connection_id))
    raise Paused(min(waits))


@dataclass(frozen=True)
class _Failed:
    """A list that the run must try again; in an `outage` no login could read it."""

    reader: ConnectionReader
    resource: str
    outage: bool

    @property
    def error(self) -> ClioError:
        return self.reader.failed[self.resource]


async def settle(
    readers: Sequence[ConnectionReader], elsewhere: frozenset[str] = frozenset()
) -> list[ConnectionReader]:
    """Decide about the failures of this attempt; return the readers without those that are set aside.

    `elsewhere` are lists that a login outside the run could read. One of the small lists needs only one login. Raises
    PullPostponed while the run must try again, and ClioMisconfigured when operators must act.
    """
    kept, again = list[ConnectionReader](), list[_Failed]()
    for reader in readers:
        others = elsewhere.union(*(other.readable for other in readers if other is not reader))
        failed = sorted(reader.failed.keys() - (_SMALL & others))
        if not any([await _is_set_aside(reader, name, others) for name in failed]):
            kept.append(reader)
            again += [_Failed(reader, name, name not in others) for name in failed]
    if again:
        raise _postponed(again)
    return kept


async def _is_set_aside(reader: ConnectionReader, resource: str, others: frozenset[str]) -> bool:
    """Count the failure; set the login aside if it failed long enough and another login could read the list."""
    services, lease, now = reader.services, reader.lease, reader.services.now()
    error, connection_id = reader.failed[resource], reader.connection_id
    async with fenced_transaction(services.database, lease) as session:
        counted = await list_failures.record_failure(
            session, lease, connection_id, resource, now=now
        )
        if resource not in others:
            if now - counted.first_failed_at >= services.timing.outage_issue_after:
                finding = Finding("clio_outage", _outage_text(resource, counted))
                await issue_store.open_issue(session, lease.account_id, finding, now=now)
            return False
        refused = resource == WHO_AM_I and not isinstance(error, ClioRetryLater)
        if not refused and not _lasts(counted, now, services.timing.set_aside_after):
            return False
        detail = str(failure_row(reader, resource)["detail"])
        await list_failures.set_aside(session, lease, connection_id, resource, detail, now=now)
        await issues.update_set_aside(session, lease.account_id, now=now)
    log.warning("login_set_aside", connection_id=connection_id, resource=resource)
    return True


def _lasts(counted: ListFailure, now: datetime, shortest: timedelta) -> bool:
    return counted.failures >= ATTEMPTS and now - counted.first_failed_at >= shortest


def _postponed(failed: Sequence[_Failed]) -> Exception:
    """Return what interrupts the run, or ends it when Clio refuses a list to every login for want of configuration."""
    for resource in {one.resource for one in failed if one.outage}:
        errors = [one.error for one in failed if one.resource == resource]
        if all(isinstance(error, ClioMisconfigured) for error in errors):
            return errors[0]
    problems = [failure_row(one.reader, one.resource) for one in failed]
    waits = [one.error.after for one in failed if isinstance(one.error, ClioRetryLater)]
    return PullPostponed(problems, min([*waits, _retry_after(failed[0].reader)]))


def _retry_after(reader: ConnectionReader) -> timedelta:
    """Return after what time a list that failed is read again: so soon that it fails often enough to be set aside."""
    return min(RETRY_AFTER, reader.services.timing.set_aside_after / ATTEMPTS)


def forbidden_list(listing: Listing) -> Problem:
    """Return the problem of a login that may not read a list."""
    text = f"This Clio user may not read {listing.name.replace('_', ' ')}. Give the user the right in Clio"
    return Problem("clio_forbidden", text)


def failure_row(reader: ConnectionReader, resource: str) -> dict[str, object]:
    """Return the problem of a list that a login could not read, as a run stores it."""
    error = reader.failed[resource]
    text = f"{_name(resource)} could not be read ({error})".capitalize()
    return runs.problem_row(Problem(error.code, text), reader.connection_id)


def _name(resource: str) -> str:
    if resource == WHO_AM_I:
        return "the user of the login"
    return f"the list of {resource.replace('_', ' ')}"


def _outage_text(resource: str, counted: ListFailure) -> str:
    since = f"{counted.first_failed_at:%Y-%m-%d %H:%M} UTC"
    return (
        f"Since {since} no Clio login of this account could read {_name(resource)}. The run continues by itself as"
        " soon as Clio answers"
    )
