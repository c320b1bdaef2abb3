"""Runs that read the records that webhooks of Clio named: which requests they make, and what they change."""

from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs

import pytest

from app import main
from app.db.accounts import accounts
from app.db.runs import named_records, run_requests
from app.db.runs.named_records import NamedRecord
from app.db.runs.runs import Kind
from tests.support.sessions import as_owner
from tests.support.sliced_firm import ANN, BEN, MOST_ATTEMPTS, SlicedFirm, within
from tests.support.world import World


class NamingFirm:
    """A firm whose two logins have read everything, and whose webhooks name records."""

    def __init__(self, firm: SlicedFirm, logins: dict[str, str]) -> None:
        self.firm = firm
        self.logins = logins

    async def name(self, resource: str, *clio_ids: int, by: str = "u_ann") -> str:
        """Let a login's subscription name records; return the id of the run that will read them."""
        run_ids = set()
        for clio_id in clio_ids:
            record = NamedRecord(resource, clio_id, self.logins[by])
            async with as_owner(self.firm.world.app.state.services.database) as session:
                run = await run_requests.request_reading(
                    session, "hp", record, after=timedelta(0), now=main.now()
                )
            run_ids.add(run.run_id)
        (run_id,) = run_ids
        return run_id

    async def read(self, run_id: str) -> tuple[dict[str, Any], list[tuple[int | None, str, str]]]:
        """Do the run; return it, and its requests: by whom, of which list, for which record."""
        before = len(self.firm.world.simulator.requests())
        run = await self.firm.finish(run_id)
        asked = self.firm.world.simulator.requests()[before:]
        return run, [
            (one.user_id, *_asked(one.path, one.query))
            for one in asked
            if "who_am_i" not in one.path
        ]


def _asked(path: str, query: str) -> tuple[str, str]:
    named = parse_qs(query)
    record = named.get("ids[]") or named.get("matter_id") or []
    return path.removeprefix("/api/v4/").removesuffix(".json"), ",".join(record)


@pytest.fixture
async def whole(idle_with_two: World) -> NamingFirm:
    """A firm after its first runs, whose runs have no budget."""
    firm = SlicedFirm(idle_with_two, within())
    rows = await firm.rows("select user_id, connection_id from connections")
    return NamingFirm(firm, {row["user_id"]: row["connection_id"] for row in rows})


@pytest.fixture(params=[1, 50], ids=["one call in a slice", "fifty calls in a slice"])
async def naming(whole: NamingFirm, request: pytest.FixtureRequest) -> NamingFirm:
    whole.firm.budget = within(calls=request.param)
    return whole


async def test_a_named_contact_is_read_alone_by_the_logins_that_see_it(naming: NamingFirm):
    firm = naming.firm
    firm.put("contact", 1, id=1001, title="Judge")
    firm.put("contact", 1, id=1002, title="Clerk")
    firm.put("contact", 1, id=1999, type="Person", name="New Person")
    states = (
        "select * from checkpoints order by connection_id, resource",
        "select last_sync_at from connections order by connection_id",
    )
    before = [await firm.rows(query) for query in states]
    run_id = await naming.name("contacts", 1001, 1999)
    run, asked = await naming.read(run_id)
    assert (run["kind"], run["trigger"], run["reads"]) == ("incremental", "webhook", "records")
    assert (run["status"], run["problems"]) == ("succeeded", [])
    assert sorted(asked) == [(ANN, "contacts", "1001,1999"), (BEN, "contacts", "1001")]
    assert [await firm.rows(query) for query in states] == before, "no checkpoint moves"
    contacts = await firm.world.contacts()
    assert (contacts["1001"]["title"], contacts["1002"]["title"]) == ("Judge", None)
    left = "select 1 from named_records union all select 1 from run_logins"
    assert await firm.rows(left) == []


async def test_of_a_named_matter_the_client_and_the_relationships_are_read(naming: NamingFirm):
    firm = naming.firm
    firm.put("contact", 1, id=1999, type="Person", name="New Person")
    firm.put("matter", 1, id=209, status="closed", client_id=1999)
    firm.put("relationship", 1, id=399, matter_id=209, contact_id=1007, description="Spouse")
    firm.put("contact", 1, id=1002, title="Clerk")
    run, asked = await naming.read(await naming.name("matters", 209))
    assert run["status"] == "succeeded"
    lists = [
        (user, *what)
        for user in (ANN, BEN)
        for what in (("matters", "209"), ("contacts", "1999"), ("relationships", "209"))
    ]
    proof = (
        ANN,
        "contacts/1010",
        "",
    )  # the former client still exists, so it was not replaced [row 46]
    assert sorted(asked) == sorted([*lists, proof])
    contacts = await firm.world.contacts()
    assert contacts["1999"]["state"] == "in_scope"
    assert contacts["1002"]["title"] is None
    assert await firm.rows("select contact_id from mirror_relationships where clio_id = 399") == [
        {"contact_id": 1007}
    ]


async def test_a_client_that_is_named_itself_is_asked_for_once(naming: NamingFirm):
    firm = naming.firm
    firm.put("contact", 1, id=1999, type="Person", name="New Person")
    firm.put("matter", 1, id=299, display_number="00299", status="open", client_id=1999)
    await naming.name("contacts", 1999)
    run, asked = await naming.read(await naming.name("matters", 299))
    assert run["status"] == "succeeded"
    assert sorted(asked) == [
        (ANN, "contacts", "1999"),
        (ANN, "matters", "299"),
        (ANN, "relationships", "299"),
    ]


async def test_records_are_asked_for_in_fifties_and_of_many_relationships_each_page(
    naming: NamingFirm,
):
    firm, many = naming.firm, range(20_001, 20_121)
    for clio_id in many:
        firm.put("contact", 1, id=clio_id, type="Person", name=f"Person {clio_id}")
    for nth in range(450):
        firm.put("relationship", 1, id=9000 + nth, matter_id=201, contact_id=1007, description="X")
    await naming.name("contacts", *many)
    run, asked = await naming.read(await naming.name("matters", 201))
    assert run["status"] == "succeeded"
    sizes = [len(ids.split(",")) for user, name, ids in asked if (user, name) == (ANN, "contacts")]
    assert sorted(sizes) == [1, 20, 50, 50]
    pages = [one for one in asked if one[:2] == (ANN, "relationships")]
    assert len(pages) == 3
    stored = "select count(*) from mirror_relationships where matter_id = 201 and clio_id >= 9000"
    assert await firm.rows(stored) == [{"count": 450}]


async def test_a_named_record_is_removed_only_when_a_request_for_it_proves_it(naming: NamingFirm):
    # S1, S2: Ann sees the whole firm; a list that lacks the record proves nothing
    firm = naming.firm
    firm.delete("contact", 1002)
    firm.delete("matter", 204)
    await naming.name("matters", 204)
    run, asked = await naming.read(await naming.name("contacts", 1002))
    assert run["status"] == "succeeded"
    assert (ANN, "contacts/1002", "") in asked
    assert (ANN, "matters/204", "") in asked
    assert (await firm.world.contacts())["1002"]["state"] == "deleted"
    assert await firm.rows("select 1 from mirror_matters where clio_id = 204") == []


async def test_a_record_that_a_login_may_no_longer_see_stays(naming: NamingFirm):
    # S1: Ann is refused, so the record exists
    firm = naming.firm
    firm.breaks("forbidden", "/contacts/1002", user=ANN)
    firm.delete("contact", 1002)
    run, _ = await naming.read(await naming.name("contacts", 1002))
    assert run["status"] == "succeeded"
    assert (await firm.world.contacts())["1002"]["state"] != "deleted"


@pytest.mark.parametrize("path", ["contacts", "matters", "relationships"])
async def test_a_list_that_the_login_may_not_read_is_a_problem_and_the_run_ends(
    naming: NamingFirm, path: str
):
    # A matter of Ben alone is named: no other login is asked, and his is refused.
    firm = naming.firm
    firm.breaks("forbidden", f"/{path}", user=BEN)
    run, _ = await naming.read(await naming.name("matters", 208, by="u_ben"))
    assert run["status"] == "succeeded"
    assert [problem["code"] for problem in run["problems"]] == ["clio_forbidden"]
    assert await firm.rows("select 1 from logins_set_aside") == []
    assert await firm.rows("select 1 from mirror_matters where clio_id = 208") != []


async def test_a_record_that_one_login_is_shown_is_not_looked_up_as_the_others(naming: NamingFirm):
    # Matter 208 is restricted to Ben. Ann has a sighting from the time before.
    firm = naming.firm
    await firm.rows(
        "insert into sightings (account_id, resource, clio_id, connection_id, digest)"
        f" values ('hp', 'matters', 208, '{naming.logins['u_ann']}', 'x')"
    )
    run, asked = await naming.read(await naming.name("matters", 208, by="u_ben"))
    assert run["status"] == "succeeded"
    assert (ANN, "matters", "208") in asked
    assert (ANN, "matters/208", "") not in asked
    assert await firm.rows("select clio_id from mirror_matters where clio_id = 208") != []


async def test_a_run_with_too_many_records_reads_the_lists(
    naming: NamingFirm, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(named_records, "MOST", 2)
    firm = naming.firm
    firm.world.simulator.firms[0].put("contact", {"id": 1001, "title": "Judge"})
    run_id = await naming.name("contacts", 1002, 1003)
    assert await naming.name("matters", 201) == run_id
    assert await naming.name("matters", 202) == run_id, "a queued run that reads lists serves it"
    assert await firm.rows("select 1 from named_records") == []
    run, asked = await naming.read(run_id)
    assert (run["trigger"], run["reads"], run["status"]) == ("webhook", "lists", "succeeded")
    assert (ANN, "contacts", "") in asked
    assert (await firm.world.contacts())["1001"]["title"] == "Judge"


@pytest.mark.parametrize("way", ["contact run", "named record"])
async def test_beside_a_pull_only_contacts_that_it_has_not_changed_are_assessed(
    whole: NamingFirm, way: str
):
    # row 53: the pull has read the contacts, and not yet the matters
    firm = whole.firm
    asked = {}
    if way == "contact run":  # a later request would be served by the pull
        contacts = await firm.world.contacts()
        for clio_id in (1002, 1001):
            asked[clio_id] = await firm.ask(contact_id=contacts[str(clio_id)]["id"])
    firm.put("contact", 1, id=1001, title="Judge")
    full = await firm.ask("full")
    firm.budget = within(calls=2)
    while not await firm.rows("select 1 from mirror_contacts where stale"):
        await firm.attempt(full)
    firm.budget = within()
    firm.put("contact", 2, id=1002, title="Clerk")
    for clio_id, shown, waiting in ((1002, "Clerk", 1), (1001, "Teacher", 1)):
        run_id = asked.get(clio_id) or await whole.name("contacts", clio_id)
        run = await firm.finish(run_id)
        assert run["status"] == "succeeded"
        assert [problem["code"] for problem in run["problems"]] == ["waiting_for_pull"]
        assert run["problems"][0]["detail"].startswith(f"{waiting} contacts wait")
        assert (await firm.world.contacts())[str(clio_id)]["title"] == shown
    assert (await firm.finish(full))["status"] == "succeeded"
    contacts = await firm.world.contacts()
    assert (contacts["1001"]["title"], contacts["1002"]["title"]) == ("Judge", "Clerk")


async def test_without_a_login_that_works_the_run_says_so(naming: NamingFirm):
    firm = naming.firm
    run_id = await naming.name("contacts", 1001)
    await firm.rows("update connections set status = 'needs_reconnect'")
    run, asked = await naming.read(run_id)
    assert (run["status"], asked) == ("failed", [])
    assert [problem["code"] for problem in run["problems"]] == ["needs_reconnect"]


async def test_a_list_that_only_the_naming_login_cannot_read_does_not_hold_up_the_run(
    naming: NamingFirm,
):
    # row 53: Ben can read contacts, so it is no outage
    firm = naming.firm
    firm.put("contact", 1, id=1999, type="Person", name="New Person")
    firm.breaks("status", "contacts", "500", user=ANN, times=9999)
    run_id = await naming.name("contacts", 1999)
    before = len(firm.world.simulator.requests())
    for _ in range(MOST_ATTEMPTS):
        if (after := await firm.attempt(run_id)) is None:
            break
        firm.late += after
    run = (await firm.world.api.get(f"/v1/accounts/hp/runs/{run_id}")).json()
    assert run["status"] == "succeeded"
    assert "login_set_aside" in [problem["code"] for problem in run["problems"]]
    assert BEN in {one.user_id for one in firm.world.simulator.requests()[before:]}


async def deleted_by_webhooks(naming: NamingFirm, resource: str, *clio_ids: int) -> str:
    """Let Ann's subscription name records as deleted; return the id of the run that serves them."""
    run_ids = set()
    for clio_id in clio_ids:
        record = NamedRecord(resource, clio_id, naming.logins["u_ann"], deleted=True)
        async with as_owner(naming.firm.world.app.state.services.database) as session:
            run = await run_requests.request_reading(
                session, "hp", record, after=timedelta(minutes=1), now=main.now()
            )
        run_ids.add(run.run_id)
    return run_ids.pop()


WAYS = ["few", "many", "slot", "queued incremental", "queued full"]


@pytest.mark.parametrize("way", WAYS)
async def test_a_record_named_as_deleted_is_asked_for_once_by_each_login_that_saw_it(
    naming: NamingFirm, monkeypatch: pytest.MonkeyPatch, way: str
):
    # S1, row 32: also if the run reads the lists, whatever made it do so; 1001 is seen by both, 1002 was never shown
    firm = naming.firm
    if way == "many":
        monkeypatch.setattr(named_records, "MOST", 1)
    if way.startswith("queued"):
        await firm.ask(way.removeprefix("queued "))
    firm.delete("contact", 1001)
    firm.delete("matter", 203)
    run_id = await deleted_by_webhooks(naming, "contacts", 1001)
    assert await deleted_by_webhooks(naming, "matters", 203) == run_id
    if way == "slot":
        async with as_owner(firm.world.app.state.services.database) as session:
            await accounts.lock_account(session, "hp")
            served = await run_requests.serve_slot(
                session, "hp", Kind.INCREMENTAL, "2026-03-03 06:00", now=main.now()
            )
        assert served.run_id == run_id
    run, asked = await naming.read(run_id)
    assert (run["status"], run["reads"]) == ("succeeded", "records" if way == "few" else "lists")
    for user in (ANN, BEN):
        assert asked.count((user, "contacts/1001", "")) == 1
        assert asked.count((user, "matters/203", "")) == 1
    contacts = await firm.world.contacts()
    assert contacts["1001"]["state"] == "deleted"
    assert "Past Client" not in {tag["label"] for tag in contacts["1002"]["tags"]}
    assert await firm.rows("select 1 from named_records") == []


async def test_a_record_named_as_deleted_that_exists_stays(naming: NamingFirm):
    # the webhook is a hint
    firm = naming.firm
    await firm.ask("incremental")
    run, asked = await naming.read(await deleted_by_webhooks(naming, "contacts", 1001))
    assert (run["status"], run["reads"]) == ("succeeded", "lists")
    assert (ANN, "contacts/1001", "") in asked
    assert (await firm.world.contacts())["1001"]["state"] == "in_scope"
    assert run["counts"]["changed"] == 0


async def test_a_run_that_has_begun_does_not_serve_what_is_named_as_deleted(whole: NamingFirm):
    firm = whole.firm
    full = await firm.ask("full")
    firm.budget = within(calls=1)
    await firm.attempt(full)
    firm.delete("contact", 1001)
    named = await deleted_by_webhooks(whole, "contacts", 1001)
    assert named != full
    firm.budget = within()
    assert (await firm.finish(named))["reads"] == "records"
    assert (await firm.finish(full))["status"] == "succeeded"
    assert (await firm.world.contacts())["1001"]["state"] == "deleted"
