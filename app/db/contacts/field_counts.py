"""How often the custom fields of contacts are filled for people in Levitate."""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import text

from app.db.session import Session

MOST_COUNTED = 2000  # people of one count, so that a page of any firm is quick


@dataclass(frozen=True)
class FilledFields:
    """For how many of these `people` each custom field has a value, by Clio's id; a checkbox must be ticked."""

    people: int
    by_field: Mapping[int, int]


async def count_filled(session: Session, account_id: str) -> FilledFields:
    """Count for those in scope; of many, for those with the highest Clio ids."""
    rows = (await session.execute(_COUNT, {"account": account_id, "most": MOST_COUNTED})).all()
    counts = {row.field_id: row.n for row in rows}
    return FilledFields(counts.pop(0, 0), counts)


# The row with the field 0 counts the people. A record stores only what differs from its defaults.
_COUNT = text("""
    with people as materialized (
        select m.record from contacts as c
        join mirror_contacts as m on m.account_id = c.account_id and m.clio_id = c.clio_id
        where c.account_id = :account and m.account_id = :account and c.state = 'in_scope'
        order by c.clio_id desc limit :most
    )
    select 0 as field_id, count(*) as n from people
    union all
    select (value ->> 'field_id')::bigint, count(*) from people
        cross join lateral jsonb_array_elements(record -> 'custom_values') as value
        where jsonb_typeof(record -> 'custom_values') = 'array'
            and coalesce(value ->> 'value', '') not in ('', 'false')
            and value ->> 'soft_deleted' is distinct from 'true'
            and value ->> 'field_id' is not null
        group by 1
""")
