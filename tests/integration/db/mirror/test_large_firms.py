"""A change that touches every client of a large firm is applied in steps."""

from sqlalchemy import text

from app.db.mirror import catalog, changed_items
from app.db.session import Database, transaction
from tests.integration.db.contacts.test_change_feed import make_account

CLIENTS = 40_000
AT_ONCE = 5_000  # matters that one step looks at
AREA = 3_000_000_000  # ids of Clio need more than 32 bits
_FILL = (
    "insert into mirror_contacts (account_id, clio_id, record, stale)"
    " select 'a', n, '{\"is_person\": true}', false from generate_series(1, :clients) n",
    "insert into mirror_matters (account_id, clio_id, client_id, record)"
    " select 'a', n, n, jsonb_build_object('practice_area_id', cast(:area as bigint))"
    " from generate_series(1, :clients) n",
)


async def test_a_renamed_practice_area_makes_all_its_clients_stale(database: Database):
    await make_account(database, "a")
    async with transaction(database, "a") as session:
        for statement in _FILL:
            await session.execute(text(statement), {"clients": CLIENTS, "area": AREA})
    async with transaction(database, "a") as session:
        named = {AREA: {"name": "Family"}}
        assert await catalog.store_items(session, "a", "practice_areas", named) == 1
        marked, steps = 0, 0
        while await changed_items.mark_next(session, "a", limit=AT_ONCE):
            counted = "select count(*) from mirror_contacts where stale"
            stale = (await session.execute(text(counted))).scalar_one()
            assert stale - marked <= AT_ONCE
            marked, steps = stale, steps + 1
        assert (marked, steps) == (CLIENTS, CLIENTS // AT_ONCE + 1)
