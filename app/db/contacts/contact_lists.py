"""Lists of contacts: which of them a filter wants, a page of them, and how many they are.

What a login may be shown of them is decided in `visible_contacts`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    FromClause,
    Integer,
    Select,
    Subquery,
    and_,
    any_,
    bindparam,
    func,
    literal,
    select,
    true,
)

from app.db.accounts import upgrades
from app.db.contacts import tables
from app.db.contacts.contacts import STORED, StoredContact, stored_contacts
from app.db.contacts.published_words import NO_EMAIL, tag_word
from app.db.contacts.seen_rows import duplicate_seen
from app.db.cursors import ADDED
from app.db.json_codec import as_bytes
from app.db.list_pages import ListPage, SortedBy, in_time, sorted_rows
from app.db.mirror import searches
from app.db.mirror import tables as mirror_tables
from app.db.mirror.audience import EVERYBODY, Audience
from app.db.mirror.search_words import load_country
from app.db.mirror.searches import Condition, Ids, search_conditions, word_condition
from app.db.session import Session, read_in_key_order
from app.rules.texts import compared

_table = tables.contacts
_new_clients = tables.new_clients
_aside = mirror_tables.quarantine
COUNTED_AT_ONCE = 5000  # contacts on which a statement tries conditions

_SORTED_BY = SortedBy(_table.c.contact_id, _table.c.first_synced_at, chronological=False)
_LISTED = (*STORED, as_bytes(_table.c.view).label("text"))
_PAGE = (
    select(*_LISTED)
    .where(_table.c.account_id == bindparam("account"), _table.c.contact_id > bindparam("after"))
    .order_by(_table.c.contact_id)
    .limit(bindparam("most", type_=Integer))
)


@dataclass(frozen=True)
class ContactFilter:
    """The contacts that a list shows; None does not filter. `unowned` wants those without an owner."""

    state: str | None = None
    owner: str | None = None
    tag: str | None = None
    clio_id: int | None = None
    q: str | None = None
    more_tags: tuple[str, ...] = field(default=(), metadata=ADDED)
    unowned: bool = field(default=False, metadata=ADDED)
    updated_since: datetime | None = field(default=None, metadata=ADDED)
    problem: str | None = field(default=None, metadata=ADDED)

    @property
    def labels(self) -> list[str]:
        """The wanted tags in the compared form."""
        tags = [] if self.tag is None else [self.tag, *self.more_tags]
        return [compared(tag) for tag in tags]


@dataclass(frozen=True)
class PageAsked:
    """A page of those contacts that a filter wants and that the audience sees."""

    wanted: ContactFilter
    page: ListPage
    audience: Audience = EVERYBODY


async def list_contacts(
    session: Session, account_id: str, wanted: ContactFilter, page: ListPage
) -> list[StoredContact]:
    """Return a page of contacts; their main time is `first_synced_at`.

    They are read by a key until the page is full. PostgreSQL does not use statistics of labels under row-level
    security, and has none of a new firm, so it might sort all of a large firm for each page.
    """
    in_order_of_ids = page == ListPage(page.limit, page.after, count=page.count)
    if wanted == ContactFilter() and in_order_of_ids:
        after = page.after[0] if page.after else ""
        names = {"account": account_id, "after": after, "most": page.limit}
        await read_in_key_order(session)
        return stored_contacts((await session.execute(_PAGE, names)).all())
    query = await page_of(session, account_id, PageAsked(wanted, page), _LISTED)
    return stored_contacts((await session.execute(query)).all())


async def page_of(
    session: Session, account_id: str, asked: PageAsked, columns: Sequence[ColumnElement[Any]]
) -> Select[Any]:
    """Return the statement that reads these columns of the contacts of a page."""
    page = asked.page
    conditions = await _conditions(session, account_id, asked)
    ids = await searches.narrowed(session, conditions)
    rows = _rows(account_id, asked)
    if ids is None:
        if asked.wanted.clio_id is None:
            await read_in_key_order(session)
        met = (one.is_met(_table.c.clio_id) for one in conditions)
        walked = sorted_rows(rows.where(*met), _SORTED_BY, page).limit(page.limit)
        return walked.with_only_columns(*columns)
    found = _found(rows, ids)
    by = SortedBy(found.c.contact_id, found.c.first_synced_at, chronological=False)
    keys = sorted_rows(select(found), by, page).limit(page.limit).subquery()
    listed = func.array(select(keys.c.contact_id).scalar_subquery())
    own = select(*columns).where(_table.c.account_id == account_id)
    return sorted_rows(own.where(_table.c.contact_id == any_(listed)), _SORTED_BY, page)


async def count_contacts(session: Session, account_id: str, asked: PageAsked) -> int:
    """Return how many contacts all pages have together.

    Where a condition must be tried on each contact, a statement tries it on a bounded number of them.
    """
    conditions = await _conditions(session, account_id, asked)
    ids = await searches.narrowed(session, conditions)
    rows = _rows(account_id, asked)
    if ids is not None:
        return await _count(session, _found(rows, ids))
    if not conditions:
        return await _count(session, rows.subquery())
    met = and_(*(one.is_met(_table.c.clio_id) for one in conditions))
    await read_in_key_order(session)
    total, after = 0, ""
    while True:
        step = (
            rows.with_only_columns(_table.c.contact_id, met.label("met"))
            .where(_table.c.contact_id > after)
            .order_by(_table.c.contact_id)
            .limit(COUNTED_AT_ONCE)
            .subquery()
        )
        counted = select(func.count(), func.count().filter(step.c.met), func.max(step.c.contact_id))
        read, matching, last = (await session.execute(counted.select_from(step))).one()
        total += int(matching)
        if read < COUNTED_AT_ONCE:
            return total
        after = last


async def _count(session: Session, rows: FromClause) -> int:
    counted = select(func.count()).select_from(rows)
    return int((await session.execute(counted)).scalar_one())


def _rows(account_id: str, asked: PageAsked) -> Select[Any]:
    """Return the key and the time of all contacts that meet what is tried on each row."""
    seen = asked.audience.limited_to("contacts", account_id, _table.c.clio_id)
    return (
        select(_table.c.contact_id, _table.c.first_synced_at)
        .where(_table.c.account_id == account_id, *_filters(asked.wanted))
        .where(*in_time(_SORTED_BY, asked.page), *seen)
    )


def _found(rows: Select[Any], ids: Ids) -> Subquery:
    """Return those of the rows whose Clio id is among these, each once; each is one look-up."""
    found = ids.subquery()
    each = rows.where(_table.c.clio_id == found.c[0]).offset(0).correlate(found).lateral("each")
    joined = found.join(each, literal(True))
    return select(each).distinct().select_from(joined).subquery()


def _filters(wanted: ContactFilter) -> list[ColumnElement[bool]]:
    """Return the conditions that are tried on each row."""
    # The state is in the text of the statement, so that an index of those who are not in scope can be used.
    state = literal(wanted.state, _table.c.state.type, literal_execute=True)
    conditions: list[tuple[object, ColumnElement[bool]]] = [
        (wanted.state, _table.c.state == state),
        (wanted.owner, _table.c.owner_user_id == wanted.owner),
        (wanted.unowned or None, _table.c.owner_user_id.is_(None)),
        (wanted.labels or None, _table.c.labels.contains(wanted.labels)),
        (wanted.clio_id, _table.c.clio_id == wanted.clio_id),
    ]
    if wanted.updated_since is not None:
        conditions.append((True, _table.c.updated_at >= wanted.updated_since))
    return [condition for value, condition in conditions if value is not None]


async def _conditions(session: Session, account_id: str, asked: PageAsked) -> list[Condition]:
    """Return the conditions that have an index of Clio ids."""
    wanted, found = asked.wanted, list[Condition]()
    if wanted.q is not None:
        country = await load_country(session, account_id)
        found += search_conditions(account_id, wanted.q, country)
    if wanted.labels and await upgrades.have_present_words(session, account_id):
        found += [
            replace(word_condition(account_id, tag_word(label)), is_met=lambda _: true())
            for label in wanted.labels
        ]
    if wanted.updated_since is not None:
        found.append(_in_row(account_id, [_table.c.updated_at >= wanted.updated_since]))
    if asked.page.order is None and (asked.page.since or asked.page.until):
        found.append(_in_row(account_id, in_time(_SORTED_BY, asked.page)))
    if asked.page.order is not None:
        # The index of the order has none of these: where few meet them, they are read whole.
        left = None if wanted.state == "in_scope" else wanted.state
        indexed = ContactFilter(state=left, owner=wanted.owner, unowned=wanted.unowned)
        if indexed != ContactFilter():
            found.append(_in_row(account_id, _filters(indexed)))
    if wanted.problem is not None:
        found.append(_problem(account_id, wanted.problem, asked.audience))
    return found


def _in_row(account_id: str, tried: Sequence[ColumnElement[bool]]) -> Condition:
    """Return a condition on the rows of contacts that has an index; it is tried on each row in any case."""
    own = select(_table.c.clio_id).where(_table.c.account_id == account_id, *tried)
    return Condition(own, lambda _: true())


def _problem(account_id: str, problem: str, audience: Audience) -> Condition:
    if problem == "no_email":
        return word_condition(account_id, NO_EMAIL)
    if problem == "duplicate":
        doubted = _new_clients.c.possible_duplicate_of.is_not(None)
        own = (
            select(_new_clients.c.clio_id)
            .where(_new_clients.c.account_id == account_id, doubted)
            .where(duplicate_seen(account_id, audience))
        )
        return _in_rows(own, _new_clients.c.clio_id)
    unread = (_aside.c.resource == "contacts") & _aside.c.resolved_at.is_(None)
    own = select(_aside.c.clio_id).where(_aside.c.account_id == account_id, unread)
    return _in_rows(own, _aside.c.clio_id)


def _in_rows(rows: Select[tuple[int]], key: ColumnElement[int]) -> Condition:
    def is_met(clio_id: ColumnElement[Any]) -> ColumnElement[bool]:
        return rows.where(key == clio_id).offset(0).correlate_except(key.table).exists()

    return Condition(rows, is_met)
