"""Why a person is not in Levitate: Clio's contacts that were pulled, in scope or not, and what would change that."""

from typing import Any

from app.db.accounts.service_tokens import Scope
from tests.support.world import World

URL = "/v1/accounts/hp/clio-contacts"
AUDIT = "/v1/accounts/hp/audit"


async def explained(world: World, clio_id: int) -> dict[str, Any]:
    answer = await world.api.get(f"{URL}/{clio_id}")
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def test_every_contact_that_a_login_has_shown_is_listed_in_levitate_or_not(pulled: World):
    found = {row["clio_id"]: row for row in [one async for one in pulled.all("clio-contacts")]}
    published = {contact["clio_id"]: contact for contact in (await pulled.contacts()).values()}
    assert found.keys() > published.keys()
    for clio_id, row in found.items():
        contact = published.get(clio_id)
        assert row["contact_id"] == (contact["id"] if contact else None)
        assert row["state"] == (contact["state"] if contact else None)
    assert {row["type"] for row in found.values()} == {"person", "company"}
    assert found["1006"]["name"]
    assert found["1006"]["contact_id"] is None


async def test_a_person_who_is_no_client_is_explained_with_what_it_would_need(pulled: World):
    # CS-2, CS-8
    found = await explained(pulled, 1006)
    assert found["contact_id"] is None
    assert found["decision"]["in_scope"] is False
    assert "not marked as a client" in found["decision"]["scope"]["detail"]
    assert found["decision"]["seen_by"]
    needs = {need["setting"] or need["clio"]: need for need in found["would_need"]}
    assert needs.keys() == {"/scope/include_non_clients", "client"}
    assert all(need["alone"] for need in needs.values())
    await pulled.choose({"scope": {"include_non_clients": True}})
    after = await explained(pulled, 1006)
    assert (after["decision"]["in_scope"], after["would_need"]) == (True, [])
    assert (after["state"], after["contact_id"] is None) == ("in_scope", False)


async def test_people_are_found_by_words_whether_they_are_in_levitate_or_not(pulled: World):
    names = {row["clio_id"]: row["name"] async for row in pulled.all("clio-contacts")}
    for clio_id in ("1001", "1006", "2001"):  # a client, nobody, a company
        beginning = names[clio_id].split()[-1][:4].lower()
        found = [row["clio_id"] async for row in pulled.all("clio-contacts", q=beginning, limit=1)]
        assert clio_id in found
        assert len(found) < len(names)
    assert [row async for row in pulled.all("clio-contacts", q="nobody has this")] == []


async def test_a_contact_in_levitate_is_explained_as_its_own_explanation_says(pulled: World):
    found = await explained(pulled, 1001)
    contact = f"/v1/accounts/hp/contacts/{found['contact_id']}/explain"
    other = (await pulled.api.get(contact)).json()
    assert found["decision"] == {
        name: value for name, value in other.items() if name not in ("contact_id", "run_id")
    }
    assert found["would_need"] == []


async def test_a_contact_that_no_login_has_shown_is_read_when_somebody_asks_for_it(pulled: World):
    firm = pulled.simulator.firms[0]
    firm.put("contact", {"id": 3000, "type": "Person", "first_name": "Late", "last_name": "Comer"})
    unknown = await pulled.api.get(f"{URL}/3000")
    assert (unknown.status_code, unknown.json()["code"]) == (404, "not_pulled")
    assert "u_ann" in unknown.json()["detail"]
    assert "look=true" in unknown.json()["detail"]
    looks = await pulled.api.get(f"{URL}/3000", params={"look": True})
    assert (looks.status_code, looks.json()["code"]) == (404, "not_pulled")
    run = looks.headers["Location"]
    assert run.endswith(looks.json()["run_id"])
    await pulled.settled()
    ended = (await pulled.api.get(run)).json()
    assert (ended["kind"], ended["status"]) == ("contact", "succeeded")
    assert (await explained(pulled, 3000))["name"] == "Late Comer"


async def test_a_contact_that_clio_does_not_have_stays_unknown(pulled: World):
    await pulled.api.get(f"{URL}/4242", params={"look": True})
    await pulled.settled()
    assert (await pulled.api.get(f"{URL}/4242")).json()["code"] == "not_pulled"


async def test_looking_needs_a_token_that_may_start_runs(pulled: World):
    # T7: a token of the scope read starts no run
    headers, _ = await pulled.create_token("hp", scope=Scope.READ)
    asked = {**headers, "Levitate-Role": "account_admin"}
    refused = await pulled.api.get(f"{URL}/3000", params={"look": True}, headers=asked)
    assert (refused.status_code, refused.json()["code"]) == (403, "scope_required")
    assert (await pulled.api.get(f"{URL}/1006", headers=asked)).status_code == 200


async def test_each_read_is_audited_without_a_name_and_needs_a_role(pulled: World):
    # EN-2, S16
    before = {one["id"] for one in (await pulled.api.get(AUDIT)).json()["data"]}
    await explained(pulled, 1006)
    await pulled.api.get(URL)
    entries = (await pulled.api.get(AUDIT, params={"action": "people.read"})).json()["data"]
    read = [one["details"]["operation"] for one in entries if one["id"] not in before]
    assert read == ["explain_clio_contact", "list_clio_contacts"]
    assert entries[0]["subject"].startswith("con_")
    for path in (URL, f"{URL}/1006"):
        user = await pulled.api.get(path, headers={"Levitate-Role": "user"})
        assert (user.status_code, user.json()["code"]) == (403, "role_required")
