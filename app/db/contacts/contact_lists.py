"""Lists of contacts: which of them a filter wants, and a page of them in the order of their ids.

What a login may be shown of them is decided in `visible_contacts`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Integer, Select, any_, bindparam, func, literal, select

from app.db.contacts import tables
from app.db.contacts.contacts import STORED, StoredContact, stored_contacts
from app.db.contacts.published_words import NO_EMAIL
from app.db.contacts.seen_rows import duplicate_seen
from app.db.cursors import ADDED
from app.db.json_codec import as_bytes
from app.db.mirror import searches
from app.db.mirror import tables as mirror_tables
from app.db.mirror.audience import EVERYBODY, Audience
from app.db.mirror.search_words import load_country
from app.db.mirror.searches import Condition, search_conditions, word_condition
from app.db.session import Session, read_in_key_order
from app.rules.texts import compared

_table = tables.contacts
_new_clients = tables.new_clients
_aside = mirror_tables.quarantine
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
    after: str
    limit: int
    audience: Audience = EVERYBODY


async def list_contacts(
    session: Session, account_id: str, wanted: ContactFilter, *, after: str, limit: int
) -> list[StoredContact]:
    """Return contacts by id, those after `after`.

    They are read by a key until the page is full. PostgreSQL does not use statistics of labels under row-level
    security, and has none of a new firm, so it might sort all of a large firm for each page.
    """
    names = {"account": account_id, "after": after, "most": limit}
    if wanted == ContactFilter():
        await read_in_key_order(session)
        return stored_contacts((await session.execute(_PAGE, names)).all())
    page = await page_of(session, account_id, PageAsked(wanted, after, limit), _LISTED)
    return stored_contacts((await session.execute(page)).all())


async def page_of(
    session: Session, account_id: str, asked: PageAsked, columns: Sequence[ColumnElement[Any]]
) -> Select[Any]:
    """Return the statement that reads these columns of the contacts of a page."""
    wanted, limit = asked.wanted, asked.limit
    seen = asked.audience.limited_to("contacts", account_id, _table.c.clio_id)
    conditions = await _conditions(session, account_id, asked)
    ids = await searches.narrowed(session, conditions)
    page = (
        select(_table.c.contact_id)
        .where(_table.c.account_id == account_id, _table.c.contact_id > asked.after)
        .where(*_filters(wanted), *seen)
    )
    own = select(*columns).where(_table.c.account_id == account_id)
    if ids is None:
        if wanted.clio_id is None:
            await read_in_key_order(session)
        met = (one.is_met(_table.c.clio_id) for one in conditions)
        walked = page.where(*met).order_by(_table.c.contact_id).limit(limit)
        return walked.with_only_columns(*columns)
    found = ids.subquery()
    each = page.where(_table.c.clio_id == found.c[0]).offset(0).correlate(found).lateral("each")
    first = select(each.c.contact_id).distinct().order_by(each.c.contact_id).limit(limit)
    listed = first.select_from(found.join(each, literal(True))).scalar_subquery()
    return own.where(_table.c.contact_id == any_(func.array(listed))).order_by(_table.c.contact_id)


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
    return [condition for value, condition in conditions if value is not None]


async def _conditions(session: Session, account_id: str, asked: PageAsked) -> list[Condition]:
    """Return the conditions that have an index of Clio ids."""
    wanted, found = asked.wanted, list[Condition]()
    if wanted.q is not None:
        country = await load_country(session, account_id)
        found += search_conditions(account_id, wanted.q, country)
    if wanted.updated_since is not None:
        since = _table.c.updated_at >= wanted.updated_since
        own = select(_table.c.clio_id).where(_table.c.account_id == account_id, since)
        found.append(Condition(own, lambda _: since))
    if wanted.problem is not None:
        found.append(_problem(account_id, wanted.problem, asked.audience))
    return found


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
