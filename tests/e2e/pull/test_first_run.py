"""The first run publishes what a login has read completely while the rest is read; first it only adds [IS-2]."""

from collections.abc import AsyncIterator
from random import Random
from typing import Any

import pytest

from app.clio import resources
from app.simulator.store.firm import Firm
from app.sync.pull import all_connections, listings, pages
from tests.support.postgres import Server
from tests.support.sliced_firm import ANN, BEN, SlicedFirm, sliced_firm, within

STATUSES = ["Past Client", "Pending Client", "Active Client"]
PEOPLE, COMPANIES = range(10_001, 10_041), range(10_041, 10_047)
MATTERS = range(20_001, 20_061)


@pytest.fixture
def short_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let Clio's lists have pages of five records."""
    for resource in (resources.CONTACTS, resources.MATTERS, resources.RELATIONSHIPS):
        monkeypatch.setitem(resource.params, "limit", "5")


@pytest.fixture
async def firm(server: Server, short_pages: None) -> AsyncIterator[SlicedFirm]:
    """A firm of which one call is made in a slice."""
    async with sliced_firm(server, within(calls=1)) as firm:
        yield firm


async def first_run(firm: SlicedFirm, *users: tuple[str, int]) -> str:
    """Connect these users; return the id of the first run, of which nothing is done."""
    for user_id, clio_user in users:
        await firm.world.connect(user_id, clio_user)
    (run,) = [one for one in await firm.world.runs() if one["kind"] == "initial"]
    return str(run["id"])


async def pages_read(firm: SlicedFirm) -> dict[tuple[str, str], tuple[int, bool]]:
    """Return, by user and list, how many pages were read, and whether all were."""
    rows = await firm.rows(
        "select user_id, resource, pages, complete from pulls join connections using (account_id, connection_id)"
    )
    return {(row["user_id"], row["resource"]): (row["pages"], row["complete"]) for row in rows}


def put_people(firm: SlicedFirm, clio_ids: range, **more: Any) -> None:
    for clio_id in clio_ids:
        person = {"type": "Person", "name": f"P {clio_id}", "last_name": f"P{clio_id}", **more}
        firm.world.simulator.firms[0].put("contact", {"id": clio_id, "is_client": True, **person})


async def test_contacts_are_readable_while_they_are_read(firm: SlicedFirm):
    # IS-2: matters and relationships are read first; then each page of contacts is published as it lands
    put_people(firm, PEOPLE)
    run_id = await first_run(firm, ("u_ann", ANN))
    readable = dict[int, int]()
    last = len(firm.world.simulator.firms[0].ids("contact")) // 5 + 1
    while await firm.attempt(run_id) is not None:
        read = await pages_read(firm)
        contacts, _ = read.get(("u_ann", "contacts"), (0, False))
        others = [read.get(("u_ann", name), (0, False))[1] for name in ("matters", "relationships")]
        assert all(others) or contacts <= 1 + last / pages.READ_AHEAD
        readable[contacts] = len(await firm.world.contacts())
    readable[last] = len(await firm.world.contacts())
    assert readable[last // 2] >= readable[last] / 3
    shown = [readable[count] for count in sorted(readable)]
    assert shown == sorted(shown)
    assert len({*shown}) > 5, "page by page, not at once"
    lines = await firm.world.changes()
    assert len({line["clio_id"] for line in lines}) == len(lines), "each contact is announced once"


async def test_a_person_waits_for_the_company_but_not_for_the_end(firm: SlicedFirm):
    # IS-2: TG-17 needs the company, which has a higher id and comes later
    company_id = PEOPLE[-10]
    put_people(firm, range(5001, 5003), company_id=company_id)
    put_people(firm, PEOPLE)
    firm.put("contact", id=company_id, type="Company", name="Acme")
    run_id = await first_run(firm, ("u_ann", ANN))
    waited = early = False
    while await firm.attempt(run_id) is not None:
        found = (await firm.world.contacts()).keys()
        company = await firm.rows(f"select 1 from mirror_contacts where clio_id = {company_id}")
        assert company or "5001" not in found
        waited |= "1001" in found and "5001" not in found
        complete = (await pages_read(firm))["u_ann", "contacts"][1]
        early |= "5001" in found and not complete
    assert (waited, early) == (True, True)


async def test_a_second_login_does_not_hold_the_first_back(firm: SlicedFirm):
    # IS-2: the second one cannot read its matters
    put_people(firm, PEOPLE)
    firm.breaks("status", "matters", "503", user=BEN)
    run_id = await first_run(firm, ("u_ann", ANN), ("u_ben", BEN))
    for _ in range(200):
        await firm.attempt(run_id)
        if (await pages_read(firm)).get(("u_ann", "contacts"), (0, False))[1]:
            break
    await firm.attempt(run_id)
    (run,) = [one for one in await firm.world.runs() if one["id"] == run_id]
    assert run["finished_at"] is None
    assert len(await firm.world.contacts()) >= len(PEOPLE)


@pytest.mark.parametrize("seed", [0, 1, 2])
async def test_until_the_end_of_the_first_run_what_was_published_only_grows(
    server: Server, short_pages: None, monkeypatch: pytest.MonkeyPatch, seed: int
):
    # IS-2: two logins, random orders of pages, random visibility
    random = Random(seed)  # noqa: S311  # no secret
    lists = random.sample(listings.RECORDS, 3)
    monkeypatch.setattr(all_connections, "RECORDS", tuple(lists))
    monkeypatch.setattr(pages, "READ_AHEAD", random.choice((1, 2, 8)))
    monkeypatch.setattr(all_connections, "LOGINS_AT_ONCE", random.choice((1, 1, 8)))
    async with sliced_firm(server, lambda: within(calls=random.randrange(1, 4))()) as firm:
        fill(firm.world.simulator.firms[0], random)
        # With these a relationship, or a matter, that only one login sees keeps a person out.
        without = random.choice(([], ["Family Law"]))
        scope = {"include_non_clients": True, "segment": {"exclude_any": without}}
        await firm.world.patch_settings({"scope": scope})
        run_id = await first_run(firm, ("u_ann", ANN), ("u_ben", BEN))
        lines, seen = 0, dict[str, dict[str, Any]]()
        while True:
            after = await firm.attempt(run_id)
            (run,) = [one for one in await firm.world.runs() if one["id"] == run_id]
            assessing = run["progress"]["phase"] != "pulling"
            changes = await firm.world.changes()
            for line in changes[lines:]:
                before = seen.get(line["clio_id"])
                if before is not None and not assessing:
                    only_grew(before, line)
                seen[line["clio_id"]] = line["contact"]
            lines = len(changes)
            if after is None:
                break
        assert run["status"] == "succeeded"
        assert seen
        await rederive_changes_nothing(firm)


def only_grew(before: dict[str, Any], line: dict[str, Any]) -> None:
    after = line["contact"]
    labels = [{tag["label"] for tag in one["tags"]} for one in (before, after)]
    lost = labels[0] - labels[1]
    ranks = [
        max((STATUSES.index(s) for s in names if s in STATUSES), default=-1) for names in labels
    ]
    assert lost <= {*STATUSES}, lost
    assert ranks[0] <= ranks[1]
    assert after["state"] == "in_scope"
    facts = [
        {(fact["kind"], fact["label"]) for fact in one["key_facts"]} for one in (before, after)
    ]
    assert facts[0] <= facts[1]
    if before["owner"]["matter_clio_id"] is not None:
        assert after["owner"]["matter_clio_id"] is not None


async def rederive_changes_nothing(firm: SlicedFirm) -> None:
    """Check that the run has decided at its end what later facts took away."""
    await firm.rows("update mirror_contacts set stale = true where record ->> 'is_person' = 'true'")
    run = await firm.run()
    assert run["counts"]["changed"] == 0


def fill(clio: Firm, random: Random) -> None:
    """Fill a firm with people, companies and matters that two users see in part."""
    for clio_id in COMPANIES:
        company = {"type": "Company", "name": f"C {clio_id}", "is_client": random.random() < 0.4}
        clio.put("contact", {"id": clio_id, **company})
    for clio_id in PEOPLE:
        company_id = random.choice((None, None, *COMPANIES))
        person = {"type": "Person", "name": f"P {clio_id}", "last_name": f"P{clio_id}"}
        birthday = random.choice((None, "1980-02-03"))
        more = {"company_id": company_id, "is_client": random.random() < 0.5}
        clio.put("contact", {"id": clio_id, **person, **more, "date_of_birth": birthday})
    known = clio.find("matter", 201) or {}
    for place, matter_id in enumerate(MATTERS):
        attorneys = {f"{role}_attorney_id": random.choice((None, 501, 502, 503)) for role in ROLES}
        matter = {
            "id": matter_id,
            "display_number": f"0{matter_id}",
            "client_id": random.choice((*PEOPLE, *COMPANIES)),
            "status": random.choice(("Open", "Pending", "Closed")),
            "practice_area_id": random.choice((None, 11, 12, 13)),
            **attorneys,
        }
        clio.put("matter", {**known, **matter})
        clio.restrict_matter(matter_id, random.choice((None, None, {501}, {502})))
        if random.random() < 0.5:
            link = {"matter_id": matter_id, "contact_id": random.choice(PEOPLE)}
            what = {"description": random.choice(("Spouse", "Judge", None))}
            clio.put("relationship", {"id": 30_001 + place, **link, **what})
    if random.random() < 0.5:
        clio.fields_unreadable.add(random.choice((501, 502)))


ROLES = ("responsible", "originating")


async def test_lists_that_were_read_before_the_first_assessment_do_not_cause_another(
    firm: SlicedFirm,
):
    # IS-2: custom fields, areas, stages and users are all new in a first run; everybody was assessed with them
    put_people(firm, PEOPLE)
    run_id = await first_run(firm, ("u_ann", ANN))
    run = await firm.finish(run_id)
    clio = firm.world.simulator.firms[0]
    records = [clio.find("contact", clio_id) or {} for clio_id in clio.ids("contact")]
    people = sum(record["type"] == "Person" for record in records)
    (row,) = await firm.rows("select assessed from runs")
    assert run["status"] == "succeeded"
    assert row["assessed"] == people
    assert await firm.rows("select * from changed_items") == []
