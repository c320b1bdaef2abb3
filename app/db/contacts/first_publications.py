"""The review of a firm's first publication: who waits to be published for the first time.

The review begins with the first run of an account whose `publish` is `after_review`, and lasts until a person releases
its hold as a whole. While it lasts there is always one hold of kind `first_publication` that is gathering or open.
People who wait are its items. Deciding about it is in `hold_decisions.py`.
"""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, case, delete, exists, func, select, update
from sqlalchemy.dialects.postgresql import insert

from app.db.accounts import tables as account_tables
from app.db.bulk import BulkInsert, array_text
from app.db.contacts import hold_decisions, holds, tables
from app.db.contacts.holds import HoldKind, HoldStatus
from app.db.ids import new_id
from app.db.session import Session, any_of
from app.errors import AppError
from app.rules.settings import InitialSync

AUTOMATIC, AFTER_REVIEW = "automatic", "after_review"  # values of `accounts.publish`

_holds = tables.holds
_items = tables.hold_items
_people = tables.unpublished_contacts
_FIRST = _holds.c.kind == HoldKind.FIRST_PUBLICATION


class FirstPublicationOpen(AppError):
    """The firm's first publication is reviewed, so it cannot become automatic."""

    status = 409
    code = "first_publication_open"
    title = "The first publication of this account is under review"
    next_step = "release its hold as a whole; GET …/holds lists it when the first run has ended"


@dataclass(frozen=True)
class UnpublishedContact:
    """A person with what a release would publish, or with the reason why it would not."""

    clio_id: int
    state_reason: str | None
    owner_user_id: str | None = None
    labels: tuple[str, ...] = ()
    is_client: bool = False
    email_digest: bytes | None = None


@dataclass(frozen=True)
class ReviewCounts:
    """The numbers of people who wait: by label, by owner and as new clients; of those who do not wait: by reason."""

    people: int
    by_label: Counter[str]
    by_owner: Counter[str | None]
    new_clients: int
    possible_duplicates: int
    by_state_reason: Counter[str]


_OF_PERSON = tuple(UnpublishedContact.__dataclass_fields__)
_PEOPLE_ROWS = BulkInsert(_people, _OF_PERSON)
_STORE_PEOPLE = _PEOPLE_ROWS.updating(*(name for name in _OF_PERSON if name != "clio_id"))


async def begin_review(session: Session, account_id: str, run_id: str, *, now: datetime) -> None:
    """Begin the review if the account asks for one and never had one. The caller has locked the account's row."""
    accounts = account_tables.accounts
    wanted = select(accounts.c.publish).where(accounts.c.account_id == account_id)
    if (await session.execute(wanted)).scalar_one() != AFTER_REVIEW:
        return
    earlier = select(_holds.c.hold_id).where(_holds.c.account_id == account_id, _FIRST)
    if (await session.execute(earlier.limit(1))).one_or_none() is None:
        await gather(session, account_id, run_id, now=now)


async def gather(session: Session, account_id: str, run_id: str, *, now: datetime) -> None:
    """Begin to gather people in a new hold, which a run opens when it ends."""
    values = {"kind": HoldKind.FIRST_PUBLICATION, "status": HoldStatus.GATHERING}
    await session.execute(
        insert(_holds).values(
            account_id=account_id,
            hold_id=new_id("hld", now),
            run_id=run_id,
            opened_at=now,
            **values,
        )
    )


async def check_no_review(session: Session, account_id: str) -> None:
    """Raise FirstPublicationOpen while the account's first publication is reviewed."""
    if (await session.execute(select(_under_review(account_id)))).scalar_one():
        raise FirstPublicationOpen


async def has_unpublished(session: Session, account_id: str) -> bool:
    """Return whether the review lasts, or what was released at its end is not published yet."""
    left = exists().where(_people.c.account_id == account_id)
    query = select(_under_review(account_id) | left)
    return bool((await session.execute(query)).scalar_one())


async def lock_review(
    session: Session, account_id: str, *, skip_locked: bool = False
) -> str | None:
    """Return and lock the hold of people who wait, None if the review is over.

    A decision locks contacts, the hold and then the account's row. So lock contacts before, and insert no row that
    refers to the account. Whoever has done so must not wait: `skip_locked` returns None if somebody decides just now.
    """
    query = select(_holds.c.hold_id).where(_is_review(account_id))
    locked = await session.execute(query.with_for_update(skip_locked=skip_locked))
    found: str | None = locked.scalar_one_or_none()
    return found


async def open_review(session: Session, account_id: str, run_id: str, *, now: datetime) -> None:
    """Open the hold that gathers, if one does, as that of this run."""
    values = {"status": HoldStatus.OPEN, "run_id": run_id, "opened_at": now}
    gathering = _holds.c.status == HoldStatus.GATHERING
    await session.execute(update(_holds).where(_is_review(account_id), gathering).values(**values))


async def find_released(
    session: Session, account_id: str, clio_ids: Collection[int]
) -> dict[int, InitialSync]:
    """Return what happens with the announcement of each of these people who were released, by Clio id."""
    own = (_holds.c.account_id == _items.c.account_id) & (_holds.c.hold_id == _items.c.hold_id)
    rows = await session.execute(
        select(_items.c.clio_id, _holds.c.first_sync)
        .join(_holds, own)
        .where(_items.c.account_id == account_id, any_of(_items.c.clio_id, clio_ids))
        .where(_FIRST, _holds.c.status == HoldStatus.RELEASED)
    )
    return {row.clio_id: InitialSync(row.first_sync) for row in rows}


async def find_known(
    session: Session, account_id: str, clio_ids: Collection[int]
) -> dict[int, InitialSync]:
    """Return what the release that ended the review chose, for each of these people whom a run of it had assessed.

    Some are no items of its hold: they came into scope, by new settings for example, when it was released already.
    """
    whole = _FIRST & (_holds.c.status == HoldStatus.RELEASED) & _holds.c.part_of.is_(None)
    rows = await session.execute(
        select(_people.c.clio_id, _holds.c.first_sync)
        .join(_holds, _holds.c.account_id == _people.c.account_id)
        .where(_people.c.account_id == account_id, any_of(_people.c.clio_id, clio_ids), whole)
    )
    return {row.clio_id: InitialSync(row.first_sync) for row in rows}


async def move_items(
    session: Session, account_id: str, hold_id: str, clio_ids: Sequence[int]
) -> None:
    """Move those who still wait in a discarded hold to the one in which they wait on, if the review is not over."""
    waits_in = await lock_review(session, account_id)
    left = await hold_decisions.remove_items(session, account_id, hold_id, clio_ids)
    if waits_in is not None:
        await holds.add_items(session, account_id, waits_in, left)


async def store_choice(
    session: Session, account_id: str, hold_id: str, chosen: InitialSync
) -> None:
    """Store what happens with the new clients of a released hold."""
    one = (_holds.c.account_id == account_id) & (_holds.c.hold_id == hold_id)
    await session.execute(update(_holds).where(one).values(first_sync=chosen))


async def store_people(
    session: Session, account_id: str, people: Sequence[UnpublishedContact]
) -> None:
    """Store what a release would publish of each of these people."""
    if not people:
        return
    rows = [
        {**asdict(one), "labels": array_text(one.labels)}
        for one in sorted(people, key=lambda one: one.clio_id)
    ]
    await session.execute(_STORE_PEOPLE, _PEOPLE_ROWS.parameters(rows, account_id=account_id))


async def delete_people(session: Session, account_id: str, clio_ids: Collection[int]) -> None:
    """Delete what is stored of these people: they are published, or they are no people of the firm any more."""
    own = (_people.c.account_id == account_id) & any_of(_people.c.clio_id, clio_ids)
    await session.execute(delete(_people).where(own))


async def count(session: Session, account_id: str, hold_id: str) -> ReviewCounts:
    """Return the counts of those who wait in this open hold, and of those whom a release would not publish."""
    in_hold = exists().where(
        _items.c.account_id == account_id,
        _items.c.hold_id == hold_id,
        _items.c.clio_id == _people.c.clio_id,
    )
    waits = (_people.c.account_id == account_id) & _people.c.state_reason.is_(None) & in_hold
    outside = (_people.c.account_id == account_id) & _people.c.state_reason.is_not(None)
    owners = await _count_by(session, _people.c.owner_user_id, waits)
    new_clients, possible_duplicates = await _count_clients(session, account_id, waits)
    return ReviewCounts(
        people=owners.total(),
        by_label=await _count_by(session, func.unnest(_people.c.labels), waits),
        by_owner=owners,
        new_clients=new_clients,
        possible_duplicates=possible_duplicates,
        by_state_reason=await _count_by(session, _people.c.state_reason, outside),
    )


async def _count_by(
    session: Session, value: ColumnElement[Any], condition: ColumnElement[bool]
) -> Counter[Any]:
    """Return how many people have each value."""
    values = select(value.label("value")).where(condition).subquery()
    query = select(values.c.value, func.count().label("n")).group_by(values.c.value)
    return Counter({row.value: row.n for row in await session.execute(query)})


async def _count_clients(
    session: Session, account_id: str, waits: ColumnElement[bool]
) -> tuple[int, int]:
    """Return how many of the people who wait are clients, and how many of these have the address of another client.

    Of those who have the same address, the first one would be no duplicate, unless an announced client has it.
    """
    announced = tables.new_clients
    is_taken = exists().where(
        announced.c.account_id == account_id, announced.c.email_digest == _people.c.email_digest
    )
    by_address = (
        select(
            _people.c.email_digest.label("digest"),
            func.count().label("n"),
            func.bool_or(is_taken).label("taken"),
        )
        .where(waits, _people.c.is_client)
        .group_by(_people.c.email_digest)
        .subquery()
    )
    first = case((by_address.c.taken, 0), else_=1)
    others = func.sum(by_address.c.n - first).filter(by_address.c.digest.is_not(None))
    totals = select(func.coalesce(func.sum(by_address.c.n), 0), func.coalesce(others, 0))
    row = (await session.execute(totals)).one()
    return int(row[0]), int(row[1])


def _is_review(account_id: str) -> ColumnElement[bool]:
    """Return the condition that a hold is the one in which people wait."""
    undecided = _holds.c.status.in_((HoldStatus.GATHERING, HoldStatus.OPEN))
    return (_holds.c.account_id == account_id) & _FIRST & undecided & _holds.c.part_of.is_(None)


def _under_review(account_id: str) -> ColumnElement[bool]:
    return exists().where(_is_review(account_id))
