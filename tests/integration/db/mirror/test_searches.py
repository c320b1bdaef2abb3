"""The words of pulled records, and the search over all of them, in scope or not."""

from collections.abc import Sequence
from typing import Any

import pytest
from sqlalchemy import insert, select, text

from app.db.mirror import records, removals, search_words, searches, tables
from app.db.mirror.audience import EVERYBODY, Audience
from app.db.mirror.visibility import View
from app.db.session import Database, transaction
from app.rules.records import ContactRecord, Email, Phone
from app.rules.removed_contacts import REMOVED
from tests.integration.db.contacts.test_change_feed import make_account
from tests.integration.db.test_queue_plans import nodes
from tests.support.sessions import as_owner, listen, unlisten
from tests.support.values import replace

ANN = View("a", "cnx_ann", full_view=True)
CAT = View("a", "cnx_cat", full_view=False)
ALICE = ContactRecord(
    clio_id=1001,
    is_person=True,
    first_name="Alice",
    last_name="Moreno",
    company_name="Northwind Bakery",
    emails=(Email("alice@home.test"),),
    phones=(Phone("919 555 0102"),),
)
BAKERY = ContactRecord(clio_id=2001, is_person=False, name="Northwind Bakery LLC")
ALBERT = ContactRecord(clio_id=1002, is_person=True, first_name="Albert", last_name="Kaya")


@pytest.fixture
async def firm(database: Database) -> Database:
    await make_account(database, "a")
    await make_account(database, "b")
    await land(database, ANN, ALICE, BAKERY, ALBERT)
    return database


async def land(database: Database, view: View, *found: ContactRecord) -> None:
    async with transaction(database, "a") as session:
        await records.land_contacts(session, view, found)


async def search(database: Database, q: str, audience: Audience = EVERYBODY) -> list[int]:
    """Return the whole result, read in pages of two."""
    found, after = list[int](), 0
    while True:
        async with transaction(database, "a") as session:
            page = await searches.search_records(session, "a", q, audience, after=after, limit=2)
        found += page
        if len(page) < 2:
            return found
        after = page[-1]


async def words(database: Database, clio_id: int) -> set[str]:
    table = tables.search_words
    async with transaction(database, "a") as session:
        one = (table.c.account_id == "a") & (table.c.clio_id == clio_id)
        return set((await session.execute(select(table.c.word).where(one))).scalars())


async def test_persons_and_companies_are_found_in_the_order_of_their_ids(firm: Database):
    assert await search(firm, "al") == [1001, 1002]
    assert await search(firm, "north") == [1001, 2001]
    assert await search(firm, "alice north") == [1001]
    assert await search(firm, "al north kaya") == []
    assert await search(firm, "0102") == [1001]
    assert await search(firm, "1002") == [1002]
    assert await search(firm, "") == [1001, 1002, 2001]
    assert await search(firm, "&") == []


async def test_a_change_replaces_only_the_words_that_changed(firm: Database):
    before = await words(firm, 1001)
    await land(firm, ANN, replace(ALICE, last_name="Moss", emails=()))
    assert await words(firm, 1001) == before - {"moreno", "alice@home.test", "home.test"} | {"moss"}
    assert await search(firm, "moreno") == []


async def test_a_record_that_returns_has_only_its_new_words(firm: Database):
    async with transaction(firm, "a") as session:
        await removals.remove_records(session, "a", "contacts", [1001], why=REMOVED)
    assert await search(firm, "moreno") == [1001], "it is in Levitate with its last name"
    await land(firm, ANN, replace(ALICE, last_name="Moss"))
    assert await search(firm, "moreno") == []
    assert await search(firm, "alice moss") == [1001]


async def test_a_record_that_returns_keeps_the_marks_of_what_is_published(firm: Database):
    before = await words(firm, 1001)
    async with transaction(firm, "a") as session:
        await search_words.store(session, "a", {1001: before | {"=tag:client", "=no_email"}})
        await removals.remove_records(session, "a", "contacts", [1001], why=REMOVED)
    await land(firm, ANN, replace(ALICE, last_name="Moss"))
    assert await words(firm, 1001) == before - {"moreno"} | {"moss", "=tag:client", "=no_email"}


async def test_the_merged_record_counts_for_everybody_and_what_was_shown_for_a_login(
    firm: Database,
):
    part = replace(ALICE, emails=(), phones=(), company_name=None)
    await land(firm, CAT, part)
    assert await search(firm, "alice@home") == [1001]
    cat, ann = Audience("cnx_cat", "u_cat"), Audience("cnx_ann", "u_ann")
    assert await search(firm, "alice@home", ann) == [1001]
    assert await search(firm, "al", cat) == [1001]
    for hidden in ("alice@home", "0102", "northwind", "albert", "1002", "2001"):
        assert await search(firm, hidden, cat) == []
    assert await search(firm, "1001", cat) == [1001]


async def test_another_firm_is_never_searched(firm: Database):
    async with transaction(firm, "b") as session:
        await records.land_contacts(session, replace(ANN, account_id="b"), [ALBERT])
        found = await searches.search_records(session, "b", "al", EVERYBODY, after=0, limit=9)
    assert found == [1002]


SEARCHES: Sequence[tuple[str, int]] = (("person", 300), ("rare", 3), ("person rare", 3), ("p r", 3))


@pytest.mark.parametrize(("few", "many"), [(5_000, 50_000), (2, 50_000), (2, 2)])
async def test_each_way_of_reading_finds_the_same(
    database: Database, monkeypatch: pytest.MonkeyPatch, few: int, many: int
):
    monkeypatch.setattr(searches, "FEW", few)
    monkeypatch.setattr(searches, "MANY", many)
    await make_account(database, "a")
    people = [
        ContactRecord(clio_id=n, is_person=True, first_name="Person", last_name=f"L{n}")
        for n in range(1, 301)
    ]
    for nth in (10, 20, 30):
        people[nth] = replace(people[nth], last_name="Rare")
    await land(database, ANN, *people)
    for q, count in SEARCHES:
        assert len(await search(database, q)) == count, q
    assert await search(database, "person rare") == [11, 21, 31]


async def test_a_search_reads_a_range_of_the_index(database: Database):
    # Under row-level security, as the role that serves accounts, and with the statistics of a large firm.
    await make_account(database, "a")
    fill = insert(tables.search_words).from_select(
        ["account_id", "clio_id", "word"],
        text("select 'a', n, 'w' || n from generate_series(1, 20000) n").columns(),
    )
    async with as_owner(database) as session:
        await session.execute(fill)
    async with as_owner(database) as session:
        await session.execute(text("analyze search_words"))
    ((condition,)) = searches.search_conditions("a", "w123", "US")
    async with transaction(database, "a") as session:
        compiled = condition.ids.compile(
            dialect=session.dialect, compile_kwargs={"literal_binds": True}
        )
        plan = "\n".join((await session.execute(text(f"explain {compiled}"))).scalars())
    assert "search_words_pk" in plan, plan
    assert "word >=" in plan.split("Index Cond:")[1], plan
    assert "Filter: (word" not in plan, plan


async def test_a_word_is_removed_by_its_key_whatever_the_size_of_the_firm(database: Database):
    await make_account(database, "a")
    people = [
        ContactRecord(clio_id=n, is_person=True, first_name="Person", last_name=f"L{n}")
        for n in range(1, 3001)
    ]
    await land(database, ANN, *people)
    statements = list[tuple[str, Any]]()

    def note(*given: Any) -> None:
        if "search_words" in given[2] and given[2].lstrip().lower().startswith("delete"):
            statements.append((given[2], given[3]))

    listen(database, "before_cursor_execute", note)
    await land(database, ANN, *(replace(one, last_name="Moss") for one in people[:200]))
    unlisten(database, "before_cursor_execute", note)
    ((statement, removed),) = statements
    assert len(removed) == 200
    # The words of others, which are still there.
    given = ["l201" if one == "l1" else 201 if one == 1 else one for one in removed[0]]
    async with transaction(database, "a") as session:
        connection: Any = (await session.get_raw_connection()).driver_connection
        rows = await connection.fetch(f"explain (analyze, format json) {statement}", *given)
    looked_at = [
        node["Actual Rows"] + node.get("Rows Removed by Filter", 0)
        for node in nodes(rows[0][0][0]["Plan"])
    ]
    assert 1 <= max(looked_at) <= 2, rows
    assert [("l1" in await words(database, 1)), ("l300" in await words(database, 300))] == [0, 1]


async def test_a_change_of_what_has_no_words_reads_and_writes_none(firm: Database):
    statements = list[str]()

    def note(*given: Any) -> None:
        statements.append(given[2])

    listen(firm, "before_cursor_execute", note)
    await land(firm, ANN, replace(ALICE, title="Judge"))
    unlisten(firm, "before_cursor_execute", note)
    assert any("mirror_contacts" in one for one in statements)
    assert not [one for one in statements if "search_words" in one or "country" in one]
