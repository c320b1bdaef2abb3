"""Upgrades: which accounts were assessed with older rules, and when they are assessed again [row 56].

The words by which contacts are found are made again in the same run, where they are missing.

An upgrade begins at the earliest after `SETTLED_AFTER`, when the previous release has certainly ended, and the accounts
begin one after another in the rest of a day. What a run does is not here.
"""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    ColumnElement,
    DateTime,
    Integer,
    func,
    literal,
    literal_column,
    or_,
    select,
    update,
)

from app.db.accounts import tables
from app.db.session import Session, any_of
from app.rules import search_words, version

_table = tables.accounts

SETTLED_AFTER = timedelta(hours=1)
BEGIN_WITHIN = timedelta(hours=22)  # after that; the last ones have an hour to end
TRY_AGAIN_AFTER = timedelta(hours=1)


async def plan(session: Session, *, now: datetime, limit: int) -> int:
    """Choose a time for enabled accounts that are behind and have none, at most `limit`; return for how many.

    Everybody was assessed with older rules, or the words of contacts are missing or of an older version.
    """
    by_rules = _table.c.rules_version < version.VERSION
    planned = await _plan(session, by_rules, _table.c.rules_version, now=now, limit=limit)
    if planned < limit:
        words_version = literal_column(tables.WORDS_VERSION, Integer)
        by_words = words_version < search_words.VERSION
        left = limit - planned
        planned += await _plan(session, by_words, words_version, now=now, limit=left)
    return planned


async def _plan(
    session: Session,
    condition: ColumnElement[bool],
    order: ColumnElement[Any],
    *,
    now: datetime,
    limit: int,
) -> int:
    behind = (
        select(_table.c.account_id)
        .where(condition, _table.c.upgrade_at.is_(None), _table.c.enabled)
        .order_by(order)
        .limit(limit)
        .with_for_update(skip_locked=True, key_share=True)
        .cte("behind")
    )
    begin = literal(now + SETTLED_AFTER, DateTime(timezone=True))
    minutes = int(BEGIN_WITHIN / timedelta(minutes=1))
    minute = func.abs(func.hashtext(_table.c.account_id, type_=Integer) % minutes)
    planned = await session.execute(
        update(_table)
        .where(_table.c.account_id == behind.c.account_id)
        .values(upgrade_at=begin + minute * timedelta(minutes=1))
        .returning(_table.c.account_id)
    )
    return len(planned.all())


async def claim_due(session: Session, *, now: datetime, limit: int) -> list[str]:
    """Return enabled accounts whose upgrade is due, at most `limit`, and put each off, in case its run fails."""
    due = (
        select(_table.c.account_id)
        .where(_table.c.upgrade_at <= now, _table.c.enabled)
        .order_by(_table.c.upgrade_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    account_ids = list((await session.execute(due)).scalars())
    await session.execute(
        update(_table)
        .where(any_of(_table.c.account_id, account_ids))
        .values(upgrade_at=now + TRY_AGAIN_AFTER)
    )
    return account_ids


async def mark_upgraded(session: Session, account_id: str) -> None:
    """Store that all contacts of an account were assessed with the current rules."""
    await session.execute(
        update(_table)
        .where(_table.c.account_id == account_id)
        .where(or_(_table.c.rules_version < version.VERSION, _table.c.upgrade_at.is_not(None)))
        .values(rules_version=version.VERSION, upgrade_at=None)
    )


def words_for(country: str) -> str:
    """Return what an account has stored when its contacts have the present words, with this country.

    Without a country it is how that begins.
    """
    return f"{search_words.VERSION}/{country}"


async def have_present_words(session: Session, account_id: str) -> bool:
    """Return whether all contacts of an account have words of the present version."""
    made_for = await find_words_made_for(session, account_id)
    return made_for is not None and made_for.startswith(words_for(""))


async def find_words_made_for(session: Session, account_id: str) -> str | None:
    """Return for which words and country the words of an account's contacts were made; None if some are missing."""
    query = select(_table.c.words_made_for).where(_table.c.account_id == account_id)
    found: str | None = (await session.execute(query)).scalar_one()
    return found


async def mark_words_made(session: Session, account_id: str, country: str) -> None:
    """Store that all contacts of an account have the present words, with this country."""
    own = _table.c.account_id == account_id
    await session.execute(update(_table).where(own).values(words_made_for=words_for(country)))
