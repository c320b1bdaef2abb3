"""A list of the API is read by a key until the page is full, under row-level security too, in a firm of any size."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text

from app.db.contacts import contact_lists
from app.db.contacts.contact_lists import ContactFilter
from app.db.list_pages import ListPage
from app.db.session import Database, transaction
from tests.integration.db.contacts.test_change_feed import make_account
from tests.integration.db.test_queue_plans import nodes
from tests.support.sessions import listen, looking, unlisten

CONTACTS = 50_000
BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
LIMIT = 51
ROWS = (
    "insert into contacts (account_id, contact_id, clio_id, version, state, owner_user_id, labels, search, view,"
    " explanation, run_id, first_synced_at, updated_at) select 'a', 'con_' || lpad(n::text, 6, '0'), n, 1,"
    " case when n % 20 = 0 then 'out_of_scope' else 'in_scope' end, 'u' || n % 10,"
    " array['client'] || case when n % 10 = 0 then array['vip'] else '{}' end"
    " || case when n = 49000 then array['rare'] else '{}' end, 'ann person ' || n || ' p' || n || '@x.test',"
    " '{}', '{}', 'run_1', '2026-01-01T00:00Z'::timestamptz + n * 7919 % 50000 * interval '1 minute', now()"
    " from generate_series(1, 50000) n"
)
# The rows that a page may look at: until it is full, or, where nothing more is found, to the end of the firm.
PAGES = {
    "everybody": (ContactFilter(), LIMIT),
    "a common tag": (ContactFilter(tag="VIP"), LIMIT * 10),
    "a common text": (ContactFilter(q="Ann"), LIMIT * 2),
    "one contact": (ContactFilter(clio_id=40_000), 1),
    "one contact with a tag": (ContactFilter(clio_id=40_000, tag="vip"), 1),
    "a tag that one contact has": (ContactFilter(tag="Rare"), 10),
    "a tag that nobody has": (ContactFilter(tag="nobody"), 0),
    "two tags of which one is rare": (ContactFilter(tag="client", more_tags=("rare",)), 10),
    "a text that one contact has": (ContactFilter(q="ann n49000"), 10),
    "a text that nobody has": (ContactFilter(q="nobody"), 0),
}
WORDS = (
    "insert into search_words (account_id, clio_id, word)"
    " select 'a', n, 'ann' from generate_series(1, 50000) n"
    " union all select 'a', n, 'n' || n from generate_series(1, 50000) n"
    " union all select 'a', n, '=tag:client' from generate_series(1, 50000) n"
    " union all select 'a', n, '=tag:vip' from generate_series(10, 50000, 10) n"
    " union all select 'a', 49000, '=tag:rare'"
)


@pytest.fixture
async def firm(database: Database, request: pytest.FixtureRequest) -> Database:
    """A firm with 50,000 contacts, before or after autovacuum."""
    await make_account(database, "a")
    async with looking(database) as session:
        await session.execute(text(ROWS))
        await session.execute(text(WORDS))
        await session.execute(text("update accounts set words_made_for = '2/US'"))
        if request.param:
            await session.execute(text("vacuum analyze contacts, search_words"))
    return database


@pytest.mark.parametrize("firm", [False, True], indirect=True, ids=["new", "analysed"])
async def test_a_page_of_contacts_is_read_by_a_key_and_never_sorted(firm: Database):
    for name, (wanted, most) in PAGES.items():
        plan = await executed(firm, wanted, ListPage(LIMIT))
        kinds = [node["Node Type"] for node in nodes(plan)]
        may_sort = wanted.clio_id is not None or most <= 10
        sorts = set[str]() if may_sort else {"Sort", "Incremental Sort"}
        assert not {"Seq Scan", *sorts} & {*kinds}, (name, kinds)
        looked_at = sum(
            node["Actual Rows"] + node.get("Rows Removed by Filter", 0)
            for node in nodes(plan)
            if "Scan" in node["Node Type"]
        )
        assert looked_at <= most, (name, plan)


TIMED: dict[str, tuple[ContactFilter, ListPage, int]] = {
    "the newest": (ContactFilter(), ListPage(LIMIT, order="newest"), LIMIT),
    "the oldest from a time": (
        ContactFilter(),
        ListPage(LIMIT, order="oldest", since=BEGIN + timedelta(days=9)),
        LIMIT,
    ),
    "the newest after one": (
        ContactFilter(state="in_scope"),
        ListPage(LIMIT, (BEGIN + timedelta(days=9), "con_9"), order="newest"),
        LIMIT * 2,
    ),
    "a few of a short time, by id": (
        ContactFilter(),
        ListPage(LIMIT, since=BEGIN, until=BEGIN + timedelta(minutes=9)),
        10,
    ),
    "the newest of an owner of nobody": (
        ContactFilter(owner="u99"),
        ListPage(LIMIT, order="newest"),
        0,
    ),
}


@pytest.mark.parametrize("firm", [False, True], indirect=True, ids=["new", "analysed"])
async def test_a_page_in_the_order_of_time_is_read_by_an_index(firm: Database):
    for name, (wanted, page, most) in TIMED.items():
        plan = await executed(firm, wanted, page)
        looked_at = sum(
            node["Actual Rows"] + node.get("Rows Removed by Filter", 0)
            for node in nodes(plan)
            if "Scan" in node["Node Type"]
        )
        # Each of a few who are read whole is read up to six times, by its key.
        assert looked_at <= most * 6, (name, plan)


async def executed(database: Database, wanted: ContactFilter, page: ListPage) -> dict[str, Any]:
    """Return the plan of the page as the service executes it: each statement again, and the query explained."""
    statements: list[tuple[str, Any]] = []

    def note(*given: Any) -> None:
        statements.append((given[2], given[3]))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(contact_lists, "stored_contacts", list)
        listen(database, "before_cursor_execute", note)
        async with transaction(database, "a") as session:
            await contact_lists.list_contacts(session, "a", wanted, page)
        unlisten(database, "before_cursor_execute", note)
    found: list[Any] = []
    async with transaction(database, "a") as session:
        for statement, parameters in statements:
            is_query = statement.startswith("SELECT")
            asked = f"explain (analyze, format json) {statement}" if is_query else statement
            done = await session.exec_driver_sql(asked, parameters)
            found += [done.scalar_one()] if is_query else []
    *_, plan = found  # a search counts first
    root: dict[str, Any] = (json.loads(plan) if isinstance(plan, str) else plan)[0]["Plan"]
    return root
