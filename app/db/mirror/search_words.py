"""The words by which records of the mirror are found: written where a contact lands, read by searches.

Each word is a row, in the collation C, so that a search reads a range of the index. Row-level security keeps PostgreSQL
from using an index for LIKE, for full text and for arrays. What the words are: `app/rules/search_words.py`.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence

from sqlalchemy import bindparam, delete, select, text

from app.db.accounts import tables as account_tables
from app.db.bulk import BulkInsert
from app.db.mirror import tables
from app.db.session import Session, look_up
from app.rules.records import ContactRecord
from app.rules.search_words import words_of_record

_table = tables.search_words
_accounts = account_tables.accounts
_ROWS = BulkInsert(_table, ("clio_id", "word"))
_ADD = _ROWS.insert.on_conflict_do_nothing()
_REMOVE = text("""
    delete from search_words as stored
    using unnest(cast(:ids as bigint[]), cast(:words as text[])) as gone (clio_id, word)
    where stored.account_id = :account and stored.clio_id = gone.clio_id and stored.word = gone.word
""")
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
    if not landed:
        return
    country = await load_country(session, account_id)
    new: dict[int, frozenset[str]] = {}
    added, removed = list[tuple[int, str]](), list[tuple[int, str]]()
    for known, record in landed:
        words = words_of_record(record, country)
        if known is None:
            new[record.clio_id] = words
            continue
        before = words_of_record(known, country)
        added += [(record.clio_id, word) for word in words - before]
        removed += [(record.clio_id, word) for word in before - words]
    differences = await _differences(session, account_id, new)
    await _write(session, account_id, [*added, *differences[0]], [*removed, *differences[1]])


async def store(session: Session, account_id: str, words: Mapping[int, frozenset[str]]) -> None:
    """Make these the words of contacts, by Clio id, whatever words they have."""
    added, removed = await _differences(session, account_id, words)
    await _write(session, account_id, added, removed)


async def add(session: Session, account_id: str, words: Mapping[int, Iterable[str]]) -> None:
    """Add words to those of contacts, by Clio id."""
    rows = [(clio_id, word) for clio_id, found in words.items() for word in found]
    await _write(session, account_id, rows, [])


async def forget(session: Session, account_id: str, clio_id: int) -> None:
    """Delete the words of a contact."""
    own = (_table.c.account_id == account_id) & (_table.c.clio_id == clio_id)
    await session.execute(delete(_table).where(own))


async def load_country(session: Session, account_id: str) -> str:
    """Return the account's country, to which phone numbers without a country code belong."""
    return str((await session.execute(_COUNTRY, {"account": account_id})).scalar_one())


async def _differences(
    session: Session, account_id: str, words: Mapping[int, frozenset[str]]
) -> tuple[list[tuple[int, str]], list[tuple[int, str]]]:
    """Return the words that contacts lack, and those that they have and should not have."""
    stored: dict[int, set[str]] = {clio_id: set() for clio_id in words}
    if words:
        names = {"account": account_id, "ids": sorted(words)}
        for row in await session.execute(_STORED, names):
            stored[row.clio_id].add(row.word)
    added = [(key, word) for key, wanted in words.items() for word in wanted - stored[key]]
    removed = [(key, word) for key, wanted in words.items() for word in stored[key] - wanted]
    return added, removed


async def _write(
    session: Session,
    account_id: str,
    added: Collection[tuple[int, str]],
    removed: Collection[tuple[int, str]],
) -> None:
    if removed:
        ids, words = zip(*sorted(removed), strict=True)
        names = {"account": account_id, "ids": list(ids), "words": list(words)}
        await session.execute(_REMOVE, names)
    if added:
        rows = [{"clio_id": clio_id, "word": word} for clio_id, word in sorted(added)]
        await session.execute(_ADD, _ROWS.parameters(rows, account_id=account_id))
