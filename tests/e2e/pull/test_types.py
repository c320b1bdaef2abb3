"""A person in Clio becomes a company, or a company a person: everybody who depends on it is assessed again [row 47]."""

from typing import Any

import pytest

from app.simulator.store.firm import Firm
from tests.support.world import World


def firm(world: World) -> Firm:
    return world.simulator.firms[0]


def become(world: World, kind: str, clio_id: int, **more: Any) -> None:
    names: dict[str, Any] = {"first_name": None, "last_name": None, "name": f"Number {clio_id}"}
    if kind == "Person":
        names = {"first_name": "Number", "last_name": str(clio_id), "name": f"Number {clio_id}"}
    firm(world).put("contact", {"id": clio_id, "type": kind, **names, **more})


def labels(contact: dict[str, Any]) -> set[str]:
    return {tag["label"] for tag in contact["tags"]}


@pytest.mark.parametrize("kind", ["incremental", "full"])
async def test_a_person_who_becomes_a_company_leaves_and_comes_back_as_the_same_contact(
    pulled: World, kind: str
):
    # CS-7, CS-8, NC-4
    before = (await pulled.contacts())["1002"]
    become(pulled, "Company", 1002)
    run = await pulled.run(kind)
    gone = (await pulled.contacts())["1002"]
    assert (gone["id"], gone["state"], gone["state_reason"]) == (
        before["id"],
        "out_of_scope",
        "not_a_client",
    )
    assert (gone["tags"], gone["owner"], gone["last_name"]) == ([], None, before["last_name"])
    assert run["counts"]["left"] == 1
    line = (await pulled.changes())[-1]
    assert (line["clio_id"], line["kind"], line["cause"]) == (
        "1002",
        "contact.out_of_scope",
        "sync",
    )
    become(pulled, "Person", 1002)
    run = await pulled.run(kind)
    back = (await pulled.contacts())["1002"]
    assert (back["id"], back["state"], labels(back)) == (before["id"], "in_scope", labels(before))
    assert run["counts"]["new_clients"] == 0


async def test_a_company_that_becomes_a_person_is_a_client_and_its_people_represent_it_no_more(
    pulled: World,
):
    # CS-7, TG-17, C-6: matter 207 is the company's; Clio still names it with Gail
    await pulled.choose({"scope": {"include_non_clients": True}})
    before = await pulled.contacts()
    assert {"Company", "Active Client"} <= labels(before["1007"])
    become(pulled, "Person", 2001)
    await pulled.run()
    after = await pulled.contacts()
    assert {"Person", "Active Client", "Personal"} <= labels(after["2001"])
    assert labels(after["1007"]) == {"Clio", "Person", "Personal"}
    become(pulled, "Company", 2001)
    await pulled.run()
    again = await pulled.contacts()
    assert (again["2001"]["state"], labels(again["1007"])) == (
        "out_of_scope",
        labels(before["1007"]),
    )


async def test_many_people_who_become_companies_wait_for_a_decision_and_leave_after_it(
    pulled: World,
):
    # S5: the guard holds them, and a re-derivation does not forget them
    for clio_id in range(3000, 3030):
        become(pulled, "Person", clio_id, is_client=True)
    await pulled.run()
    for clio_id in range(3000, 3021):
        become(pulled, "Company", clio_id)
    await pulled.run()
    await pulled.run("full")
    assert len(await pulled.contacts(state="out_of_scope")) == 0
    (hold,) = [hold async for hold in pulled.all("holds")]
    assert (hold["status"], hold["count"]) == ("open", 21)
    preview = await pulled.api.post("/v1/accounts/hp/settings/preview", json={"settings": {}})
    assert preview.json()["summary"]["leaving"] == 21
    await pulled.api.post(f"/v1/accounts/hp/holds/{hold['id']}/release")
    await pulled.settled()
    assert len(await pulled.contacts(state="out_of_scope")) == 21
