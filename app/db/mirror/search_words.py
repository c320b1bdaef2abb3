"""The words by which records of the mirror are found: written where a contact lands, read by searches.

Each word is a row, in the collation C, so that a search reads a range of the index. Row-level security keeps PostgreSQL
from using an index for LIKE, for full text and for arrays. What the words are: `app/rules/search_words.py`.
"""

from collections.abc import Collection, Mapping, Sequence

from sqlalchemy import TextClause, bindparam, delete, select, text

from app.db.accounts import tables as account_tables
from app.db.bulk import array_text
from app.db.mirror import tables
from app.db.session import Session, look_up
from app.rules.records import ContactRecord
from app.rules.search_words import MARK, may_differ_in_words, words_of_record

Word = tuple[str, int]  # with the Clio id

_table = tables.search_words
_accounts = account_tables.accounts
# The words are one text, because an array of texts takes several times as long to send. No word has a line break.
_ADD_NEW = text("""
    insert into search_words (account_id, word, clio_id)
    select :account, *
    from unnest(string_to_array(:words, chr(10)), cast(cast(:ids as text) as bigint[]))
""")
# Another transaction may have landed the same change just now.
_ADD = text(f"{_ADD_NEW.text} on conflict do nothing")
# One statement for each word, sent together: for a join PostgreSQL may read the words of the whole firm.
_REMOVE = delete(_table).where(
    _table.c.account_id == bindparam("account"),
    _table.c.word == bindparam("one"),
    _table.c.clio_id == bindparam("of"),
)
_STORED = look_up(
    select(_table.c.clio_id, _table.c.word).where(_table.c.account_id == bindparam("account")),
    _table.c.clio_id,
    "ids",
)
_COUNTRY = select(_accounts.c.country).where(_accounts.c.account_id == bindparam("account"))


async def land(
    session: Session,
    account_id: str,
    landed: Sequence[tuple[ContactRecord | None, ContactRecord]],
) -> None:
    """Store the words of contacts that have changed: the version known before, None if there was none, and the new one.

    Words that come from what is published of a known contact stay.
    """
    changed = [
        (known, record)
        for known, record in landed
        if known is None or may_differ_in_words(known, record)
    ]
    if not changed:
        return
    country = await load_country(session, account_id)
    new: dict[int, frozenset[str]] = {}
    added, removed = list[Word](), list[Word]()
    for known, record in changed:
        words = words_of_record(record, country)
        if known is None:
            new[record.clio_id] = words
            continue
        before = words_of_record(known, country)
        added += [(word, record.clio_id) for word in words - before]
        removed += [(word, record.clio_id) for word in before - words]
    await store(session, account_id, new, keep_marks=True)
    await _remove(session, account_id, removed)
    await _add(session, account_id, added, _ADD)


async def store(
    session: Session,
    account_id: str,
    words: Mapping[int, Collection[str]],
    *,
    keep_marks: bool = False,
) -> None:
    """Make these the words of contacts, by Clio id, whatever words they have; with `keep_marks` beside their marks.

    The transaction has written or locked the contacts' rows, so that no other one stores words of them meanwhile.
    """
    if not words:
        return
    names = {"account": account_id, "ids": sorted(words)}
    stored = {(row.word, row.clio_id) for row in await session.execute(_STORED, names)}
    wanted = [(word, clio_id) for clio_id, found in words.items() for word in found]
    if stored:
        gone = stored.difference(wanted)
        kept = {one for one in gone if one[0].startswith(MARK)} if keep_marks else set[Word]()
        await _remove(session, account_id, gone - kept)
        wanted = [one for one in wanted if one not in stored]
    await _add(session, account_id, wanted, _ADD_NEW)


async def forget(session: Session, account_id: str, clio_id: int) -> None:
    """Delete the words of a contact."""
    own = (_table.c.account_id == account_id) & (_table.c.clio_id == clio_id)
    await session.execute(delete(_table).where(own))


async def load_country(session: Session, account_id: str) -> str:
    """Return the account's country, to which phone numbers without a country code belong."""
    return str((await session.execute(_COUNTRY, {"account": account_id})).scalar_one())


async def _remove(session: Session, account_id: str, words: Collection[Word]) -> None:
    if words:
        each = [{"account": account_id, "one": one, "of": of} for one, of in sorted(words)]
        await session.execute(_REMOVE, each)


async def _add(
    session: Session, account_id: str, words: Collection[Word], statement: TextClause
) -> None:
    """Add words in the order of the key, so that neighbours are written together."""
    if words:
        texts, ids = zip(*sorted(words), strict=True)
        names = {"account": account_id, "words": "\n".join(texts), "ids": array_text(ids)}
        await session.execute(statement, names)
