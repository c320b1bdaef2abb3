"""Sorts database errors by what the caller does next: try again at once, give the work back, or report a defect.

An error is sorted by its SQLSTATE (https://www.postgresql.org/docs/current/errcodes-appendix.html), or by its type if
it has none. An error that is not sorted here is a defect.
"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from enum import Enum

import asyncpg
from asyncpg.exceptions import InternalClientError
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from app.db.connection import AddressNotUsable, EncryptionRefused
from app.errors import DatabaseUnavailable


class Reaction(Enum):
    """The reaction of the caller to a failure of the database."""

    RETRY_NOW = "retry_now"  # the transaction met another one; nothing is wrong with the database
    GIVE_BACK = "give_back"  # the database is away or overloaded; the same call works later
    REPORT = "report"  # this service has a defect


_RETRY_NOW = frozenset({"40001", "40P01"})  # serialization failure, deadlock
# connection, resources (53100 disk full, 53200 memory, 53300 connections), operator (57014 timeout, 57P01 shutdown),
# system (58030 input or output failed)
_GIVE_BACK_CLASSES = frozenset({"08", "53", "57", "58"})
_GIVE_BACK = frozenset(
    {
        "25006",  # read only: a standby, or a server whose disk is full
        "25P03",  # a transaction was idle for too long
        "25P04",  # a transaction lasted too long
        "28000",  # the user is refused
        "28P01",  # the password is refused
        "3D000",  # the database does not exist
        "42501",  # rights were taken from the user
        "42703",  # a column does not exist: another database took this one's place, or an old copy of it
        "42P01",  # a table does not exist, for the same reason
        "3F000",  # a schema does not exist, for the same reason
        "55000",  # the database accepts no connections
        "55P03",  # a lock was not available in time
    }
)
# Errors of the network, of the pool, of a connection that ended while it was used, and of the address.
_GIVE_BACK_TYPES = (
    OSError,
    PoolTimeout,
    asyncio.IncompleteReadError,
    InternalClientError,
    AddressNotUsable,
    EncryptionRefused,
)


def reaction_to(failure: BaseException) -> Reaction:
    """Return what to do after a failure. Of a group of failures the worst one decides."""
    if isinstance(failure, BaseExceptionGroup):
        found = {reaction_to(one) for one in failure.exceptions}
        worst_first = (Reaction.REPORT, Reaction.GIVE_BACK, Reaction.RETRY_NOW)
        return next(reaction for reaction in worst_first if reaction in found)
    if isinstance(failure, DatabaseUnavailable):
        return Reaction.RETRY_NOW if failure.retry_now else Reaction.GIVE_BACK
    if isinstance(failure, DBAPIError):
        return _reaction_to_wrapped(failure)
    state = getattr(failure, "sqlstate", None)
    if isinstance(failure, asyncpg.PostgresError) and state:
        return Reaction.REPORT if _is_of_another_account(failure) else _reaction_to_state(state)
    if isinstance(failure, asyncpg.InterfaceError):
        return _reaction_to_interface(failure)
    return Reaction.GIVE_BACK if isinstance(failure, _GIVE_BACK_TYPES) else Reaction.REPORT


@contextmanager
def sorted_failures() -> Iterator[None]:
    """Raise DatabaseUnavailable for a failure of the block that ends by itself; a defect is raised as it is."""
    try:
        yield
    except DatabaseUnavailable:
        raise
    except Exception as error:
        reaction = reaction_to(error)
        if reaction is Reaction.REPORT:
            raise
        raise DatabaseUnavailable(retry_now=reaction is Reaction.RETRY_NOW) from error


def causes(error: BaseException | None) -> Iterator[BaseException]:
    """Yield an error, its cause, the cause of that one, and so on."""
    while error is not None:
        yield error
        error = error.__cause__


def _reaction_to_wrapped(failure: DBAPIError) -> Reaction:
    """Return the reaction to an error of SQLAlchemy, which wraps the driver's error twice."""
    if failure.connection_invalidated:
        return Reaction.GIVE_BACK
    cause = failure.orig and failure.orig.__cause__
    return Reaction.REPORT if cause is None else reaction_to(cause)


def _is_of_another_account(failure: asyncpg.PostgresError) -> bool:
    """Return whether a row of another account was to be written: the server refuses it as it refuses a right."""
    return getattr(failure, "server_source_function", None) == "ExecWithCheckOptions"


def _reaction_to_state(state: str) -> Reaction:
    if state in _RETRY_NOW:
        return Reaction.RETRY_NOW
    transient = state in _GIVE_BACK or state[:2] in _GIVE_BACK_CLASSES
    return Reaction.GIVE_BACK if transient else Reaction.REPORT


def _reaction_to_interface(failure: asyncpg.InterfaceError) -> Reaction:
    """Return the reaction to an error that the driver raised itself; asyncpg tells these apart only by their text.

    A connection or pool that was closed, or that was released because it is lost, is the network's fault. All others
    are ours, such as a statement with more than 32,767 parameters.
    """
    text = str(failure)
    return Reaction.GIVE_BACK if "clos" in text or "released" in text else Reaction.REPORT
