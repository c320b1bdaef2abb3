"""The display numbers of matters, by which people know them."""

from collections.abc import Collection

from sqlalchemy import select

from app.db.mirror import tables
from app.db.session import Session, any_of

_matters = tables.mirror_matters


async def load_numbers(
    session: Session, account_id: str, matter_ids: Collection[int]
) -> dict[int, str]:
    """Return the numbers of these matters, by Clio id; one without a number is not named.

    The caller has made sure that the reader may see the matters.
    """
    number = _matters.c.record["number"].as_string()
    rows = await session.execute(
        select(_matters.c.clio_id, number.label("number"))
        .where(_matters.c.account_id == account_id, any_of(_matters.c.clio_id, matter_ids))
        .where(number.is_not(None))
    )
    return {row.clio_id: row.number for row in rows}
