"""Conditions on contacts of which each has an index, and how a list reads by several of them.

A condition that few contacts meet is read whole, and the others are tried on each of these. If many meet all of them, a
page is soon full: then the list is read in its own order, and all conditions are tried on each row.
"""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from msgspec.structs import replace
from sqlalchemy import (
    BigInteger,
    ColumnElement,
    CompoundSelect,
    Select,
    and_,
    false,
    func,
    intersect,
    literal,
    or_,
    select,
    union_all,
)

from app.db.json_codec import as_bytes
from app.db.mirror import audience as audiences
from app.db.mirror import tables
from app.db.mirror.audience import Audience
from app.db.mirror.records import CONTACTS
from app.db.mirror.search_words import load_country
from app.db.session import Session, any_of, reading_in_key_order
from app.rules.records import ContactRecord
from app.rules.search_words import Term, after_all, has_terms, parse_search, words_of_record
from app.rules.texts import compared

FEW = 2_500  # contacts, which are read whole
MANY = 50_000  # contacts of a condition that is compared with others as a whole
AT_ONCE = 200  # contacts that one statement reads, of which a login may be shown only some

_words = tables.search_words
_contacts = tables.mirror_contacts
Ids = Select[tuple[int]] | CompoundSelect[Any]


@dataclass(frozen=True)
class Condition:
    """A condition: the Clio ids of those who meet it, some of them twice, and whether one contact does."""

    ids: Ids
    is_met: Callable[[ColumnElement[Any]], ColumnElement[bool]]


def search_conditions(account_id: str, q: str, country: str) -> list[Condition]:
    """Return the conditions of a search in an account of this country, which all must be met.

    A blank text finds everybody, and one with signs only finds nobody.
    """
    terms = parse_search(q, country)
    if not terms and compared(q):
        return [Condition(select(_words.c.clio_id).where(false()), lambda _: false())]
    return [_condition(account_id, term) for term in terms]


def word_condition(account_id: str, word: str) -> Condition:
    """Return the condition that a contact has exactly this word."""
    own = _with(account_id, _words.c.word == word)
    return Condition(own, _is_one_of(own))


async def narrowed(session: Session, conditions: Sequence[Condition]) -> Ids | None:
    """Return the Clio ids of those who meet all conditions, some of them twice; None if they may be too many."""
    if not conditions:
        return None
    counted = [
        select(func.count()).select_from(one.ids.limit(MANY + 1).subquery()).scalar_subquery()
        for one in conditions
    ]
    counts = (await session.execute(select(*counted))).one()
    few = min(counts)
    whole = [
        one
        for one, count in zip(conditions, counts, strict=True)
        if (count == few if few <= FEW else count <= MANY)
    ]
    if few > FEW and len(whole) < 2:
        return None
    first = whole[:1] if few <= FEW else whole
    others = [one for one in conditions if one not in first]
    found = (intersect(*(one.ids for one in first)) if len(first) > 1 else first[0].ids).subquery()
    clio_id = found.c[0]
    return select(clio_id).where(*(one.is_met(clio_id) for one in others))


async def search_records(
    session: Session, account_id: str, q: str, audience: Audience, *, after: int, limit: int
) -> list[int]:
    """Return the Clio ids of pulled persons and companies who match a search, in their order, those after `after`.

    They need not be in scope, and may have been deleted in Clio. A login finds only records that it sees, and only by
    what Clio has shown it of them.
    """
    country = await load_country(session, account_id)
    conditions = search_conditions(account_id, q, country)
    if audience.login is None:
        return await _page(session, account_id, conditions, after=after, limit=limit)
    page: list[int] = []
    while len(page) < limit:
        seen = audience.limited_to("contacts", account_id, _contacts.c.clio_id)
        found = await _page(session, account_id, conditions, seen, after=after, limit=AT_ONCE)
        page += await _found_by_shown(session, account_id, (q, country), audience, found)
        if len(found) < AT_ONCE:
            break
        after = found[-1]
    return page[:limit]


async def _page(
    session: Session,
    account_id: str,
    conditions: Sequence[Condition],
    seen: Iterable[ColumnElement[bool]] = (),
    *,
    after: int,
    limit: int,
) -> list[int]:
    key = _contacts.c.clio_id
    page = select(key).where(_contacts.c.account_id == account_id, key > after, *seen)
    ids = await narrowed(session, conditions)
    if ids is None:
        page = page.where(*(one.is_met(key) for one in conditions)).order_by(key).limit(limit)
        async with reading_in_key_order(session):
            return list((await session.execute(page)).scalars())
    found = ids.subquery()
    each = page.where(key == found.c[0]).offset(0).correlate(found).lateral("each")
    rows = select(each.c.clio_id).distinct().order_by(each.c.clio_id).limit(limit)
    return list(
        (await session.execute(rows.select_from(found.join(each, literal(True))))).scalars()
    )


async def _found_by_shown(
    session: Session,
    account_id: str,
    search: tuple[str, str],
    audience: Audience,
    clio_ids: Collection[int],
) -> list[int]:
    """Return those of these contacts who match a search, with its country, by what the login was shown of them."""
    terms, country = parse_search(*search), search[1]
    shown = await audiences.load_shown_fields(session, account_id, audience, clio_ids)
    rows = await session.execute(
        select(as_bytes(_contacts.c.record))
        .where(_contacts.c.account_id == account_id, any_of(_contacts.c.clio_id, shown.keys()))
        .order_by(_contacts.c.clio_id)
    )
    records = CONTACTS.codec.load_all(rows.scalars())
    visible = ((one.clio_id, _visible(one, shown[one.clio_id])) for one in records)
    return [
        clio_id
        for clio_id, record in visible
        if has_terms(words_of_record(record, country), clio_id, terms)
    ]


_NAMES = ("name", "first_name", "middle_name", "last_name", "company_name")


def _visible(record: ContactRecord, fields: frozenset[str] | None) -> ContactRecord:
    """Return a record without what the login was not shown of its words; everything if that was not stored."""
    if fields is None:
        return record
    hidden: dict[str, Any] = {name: None for name in _NAMES if name not in fields}
    hidden |= {name: () for name in ("emails", "phones") if name not in fields}
    return replace(record, **hidden)


def _condition(account_id: str, term: Term) -> Condition:
    by_words = [_with(account_id, _begins(_words.c.word, start)) for start in term.starts]
    # Not the column itself, so that the words of the contact are read, and not all that begin so.
    word = _words.c.word.concat("")
    has = _is_one_of(_with(account_id, or_(*(_begins(word, start) for start in term.starts))))
    wanted = term.clio_id
    if wanted is None:
        return Condition(union_all(*by_words) if len(by_words) > 1 else by_words[0], has)
    exact = select(literal(wanted, BigInteger))
    return Condition(
        union_all(*by_words, exact), lambda clio_id: or_(clio_id == wanted, has(clio_id))
    )


def _begins(word: ColumnElement[str], start: str) -> ColumnElement[bool]:
    return and_(word >= start, word < after_all(start))


def _with(account_id: str, matches: ColumnElement[bool]) -> Select[tuple[int]]:
    return select(_words.c.clio_id).where(_words.c.account_id == account_id, matches)


def _is_one_of(own: Select[tuple[int]]) -> Callable[[ColumnElement[Any]], ColumnElement[bool]]:
    def is_met(clio_id: ColumnElement[Any]) -> ColumnElement[bool]:
        # `offset` keeps PostgreSQL from making a join of it: each contact is one look-up by an index.
        one = own.where(_words.c.clio_id == clio_id).offset(0).correlate_except(_words)
        return one.exists()

    return is_met
