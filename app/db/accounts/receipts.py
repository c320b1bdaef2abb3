"""Receipts of erasures: what was erased, for whom, and what is left to do. They are kept for a year.

A running erasure of an account hides the account: whoever looks for it finds nothing. The deleting is not here.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, case, func, literal, select, text, update
from sqlalchemy.dialects.postgresql import JSONB, insert

from app.db.accounts import tables
from app.db.connections import tables as connection_tables
from app.db.ids import new_id
from app.db.session import Session, any_of
from app.errors import AppError, Problem

_table, _accounts = tables.erasures, tables.accounts
_revocations = connection_tables.revocations

ACCOUNT, CONTACT = "account", "contact"  # the kinds of what is erased


class Status(StrEnum):
    """The state of an erasure; `incomplete`: it has ended, and a person must do the rest."""

    RUNNING = "running"
    DONE = "done"
    INCOMPLETE = "incomplete"


class ErasureNotFound(AppError):
    """There is no such erasure, or it was of an account that the token may not see."""

    status = 404
    code = "erasure_not_found"
    title = "There is no such erasure for this token"
    next_step = "the response to the DELETE has its address, which is kept for a year"


class ErasureInProgress(AppError):
    """The account with this id is being erased, or its erasure is incomplete."""

    status = 409
    code = "erasure_in_progress"
    title = "The account with this id is being erased"
    next_step = "create it again when GET /v1/erasures/{id} says that it is done"


@dataclass(frozen=True)
class Receipt:
    """One erasure. `remaining` is what a person must do, because this service could not, or what is kept."""

    account_id: str
    erasure_id: str
    subject_kind: str
    subject_id: str
    status: Status
    requested_by: str | None
    requested_at: datetime
    finished_at: datetime | None
    remaining: tuple[Problem, ...]


def is_being_erased(account_id: ColumnElement[str]) -> ColumnElement[bool]:
    """Return the condition that the account is being erased: it is treated like one that does not exist."""
    running = (_table.c.account_id == account_id) & _table.c.finished_at.is_(None)
    return select(_table.c.erasure_id).where(running).exists()


async def start(session: Session, account_id: str, *, by: str | None, now: datetime) -> str:
    """Store that the account is being erased, and return the id of the erasure. Lock the account's row first."""
    subject = (ACCOUNT, account_id)
    return await _insert(session, account_id, subject, Status.RUNNING, by=by, now=now)


async def record_contact(
    session: Session,
    account_id: str,
    contact_id: str,
    kept: Sequence[Problem],
    *,
    by: str | None,
    now: datetime,
) -> str:
    """Store that a person was erased in this transaction, and what is kept; return the id of the erasure."""
    subject = (CONTACT, contact_id)
    erasure_id = await _insert(session, account_id, subject, Status.DONE, by=by, now=now)
    for one in kept:
        await add_remaining(session, account_id, erasure_id, one)
    return erasure_id


async def _insert(
    session: Session,
    account_id: str,
    subject: tuple[str, str],
    status: Status,
    *,
    by: str | None,
    now: datetime,
) -> str:
    erasure_id = new_id("era", now)
    await session.execute(
        insert(_table).values(
            account_id=account_id,
            erasure_id=erasure_id,
            subject_kind=subject[0],
            subject_id=subject[1],
            status=status,
            requested_by=by,
            requested_at=now,
            finished_at=None if status is Status.RUNNING else now,
        )
    )
    return erasure_id


async def get_receipt(
    session: Session, erasure_id: str, *, only: Collection[str] | None
) -> Receipt:
    """Return an erasure, only one of these accounts if they are given. Raises ErasureNotFound."""
    query = select(_table).where(_table.c.erasure_id == erasure_id)
    if only is not None:
        query = query.where(any_of(_table.c.account_id, only))
    row = (await session.execute(query)).one_or_none()
    if row is None:
        raise ErasureNotFound
    return _receipt(row)


async def find_newest(session: Session, account_id: str) -> str | None:
    """Return the newest erasure of the account itself, or None."""
    query = (
        select(_table.c.erasure_id)
        .where(_table.c.account_id == account_id, _table.c.subject_kind == ACCOUNT)
        .order_by(_table.c.erasure_id.desc())
        .limit(1)
    )
    found: str | None = (await session.execute(query)).scalar_one_or_none()
    return found


async def check_not_erasing(session: Session, account_id: str) -> None:
    """Raise ErasureInProgress if an erasure of the account is not done. Lock the account's row first, if it exists."""
    unfinished = (_table.c.subject_kind == ACCOUNT) & (_table.c.status != Status.DONE)
    query = select(_table.c.erasure_id).where(_table.c.account_id == account_id, unfinished)
    found = (await session.execute(query.limit(1))).scalar_one_or_none()
    if found is not None:
        raise ErasureInProgress(
            f"The account with this id is being erased. It can be created again when that is done;"
            f" GET /v1/erasures/{found} says what is left"
        )


async def lock_running(session: Session, account_id: str, erasure_id: str) -> bool:
    """Return whether the erasure is still running, and lock its row until the transaction ends."""
    query = select(_table.c.finished_at).where(_is(account_id, erasure_id)).with_for_update()
    row = (await session.execute(query)).one_or_none()
    return row is not None and row.finished_at is None


async def add_remaining(
    session: Session, account_id: str, erasure_id: str, problem: Problem
) -> None:
    """Store what a person must do."""
    entry = literal([{"code": problem.code, "detail": problem.detail}], JSONB)
    longer = _table.c.remaining.op("||")(entry)
    await session.execute(
        update(_table).where(_is(account_id, erasure_id)).values(remaining=longer)
    )


async def finish_if_complete(
    session: Session, account_id: str, erasure_id: str, *, now: datetime
) -> None:
    """End the erasure if the account's row is deleted and no revocation of the account is owed.

    The erasure's row is locked before the check, so that the last of several transactions sees what the others did.
    """
    await lock_running(session, account_id, erasure_id)
    gone = ~select(_accounts.c.account_id).where(_accounts.c.account_id == account_id).exists()
    owed = select(_revocations.c.revocation_id).where(_revocations.c.account_id == account_id)
    nothing_remains = _table.c.remaining == text("'[]'::jsonb")
    await session.execute(
        update(_table)
        .where(_is(account_id, erasure_id), gone, ~owed.exists())
        .values(
            status=case((nothing_remains, Status.DONE), else_=Status.INCOMPLETE),
            finished_at=func.coalesce(_table.c.finished_at, now),
        )
    )


def _is(account_id: str, erasure_id: str) -> ColumnElement[bool]:
    return (_table.c.account_id == account_id) & (_table.c.erasure_id == erasure_id)


def _receipt(row: Any) -> Receipt:
    values = {name: row._mapping[name] for name in Receipt.__dataclass_fields__}
    remaining = tuple(Problem(each["code"], each["detail"]) for each in row.remaining)
    return Receipt(**{**values, "status": Status(row.status), "remaining": remaining})
