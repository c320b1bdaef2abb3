"""The list of contacts, which is encoded without the models of the API, is as the API describes it."""

from app.api import schemas
from tests.support.world import World

URL = "/v1/accounts/hp/contacts"


async def test_every_contact_has_the_fields_and_types_that_the_api_describes(pulled: World):
    response = await pulled.api.get(URL, params={"limit": 200})
    body = response.json()
    described = schemas.Page[schemas.Contact].model_validate_json(response.content, strict=True)
    assert described.model_dump(mode="json", exclude_unset=True) == body
    assert {contact["state"] for contact in body["data"]} >= {"in_scope"}
    for name in ("company", "owner", "emails", "phones", "addresses", "tags", "key_facts"):
        assert any(contact[name] for contact in body["data"]), f"no contact has {name}"


async def test_a_page_names_the_next_one_until_the_last(pulled: World):
    whole = (await pulled.api.get(URL, params={"limit": 200})).json()
    assert (whole["has_more"], whole["next_cursor"]) == (False, None)
    found, cursor = [], None
    while True:
        params = {"limit": 2} | ({"cursor": cursor} if cursor else {})
        page = (await pulled.api.get(URL, params=params)).json()
        found += page["data"]
        cursor = page["next_cursor"]
        if not page["has_more"]:
            break
    assert found == whole["data"]


async def found(world: World, **params: object) -> set[str]:
    """Return the Clio ids of the contacts that a list shows."""
    answer = await world.api.get(URL, params={"limit": 200, **params})
    assert answer.status_code == 200, answer.text
    return {contact["clio_id"] for contact in answer.json()["data"]}


async def test_a_contact_is_found_by_the_beginning_of_each_of_its_words(pulled: World):
    for q in ("ali", "Moreno", "moreno alice", "alice@home", "home.test", "919555", "0102", "1001"):
        assert "1001" in await found(pulled, q=q), q
    assert await found(pulled, q="alice moreno") == {"1001"}
    for q in ("lice", "alice kaya", "102", "&"):
        assert "1001" not in await found(pulled, q=q), q
    assert await found(pulled, q="") == {*await pulled.contacts()}


async def test_who_has_left_is_found_by_the_name_that_is_shown(pulled: World):
    firm = pulled.simulator.firms[0]
    before = (await pulled.contacts())["1001"]
    name = {"name": "Alix Renamed", "first_name": "Alix", "last_name": "Renamed"}
    await pulled.choose({"scope": {"segment": {"include_any": ["Nobody has this"]}}})
    assert "1001" in await found(pulled, state="out_of_scope", q="moreno")
    firm.put("contact", {"id": 1001, **name})
    await pulled.run()
    contact = (await pulled.contacts())["1001"]
    assert (contact["state"], contact["last_name"]) == ("out_of_scope", before["last_name"])
    assert "1001" in await found(pulled, q="alice moreno")
    assert "1001" in await found(pulled, q="renamed"), "that is the name in Clio"
    await pulled.choose({"scope": {"segment": {"include_any": []}}})
    assert (await pulled.contacts())["1001"]["last_name"] == "Renamed"
    assert await found(pulled, q="moreno") == set()


async def test_a_contact_that_was_deleted_in_clio_is_still_found(pulled: World):
    pulled.simulator.firms[0].delete("contact", 1001)
    await pulled.run("full")
    assert await found(pulled, state="deleted", q="moreno") == {"1001"}


async def test_the_people_of_a_company_are_found_by_its_new_name(pulled: World):
    old = await found(pulled, q="northwind")
    assert "1007" in old
    pulled.simulator.firms[0].put("contact", {"id": 2001, "name": "Southsea Mills LLC"})
    await pulled.run()
    assert (await pulled.contacts())["1007"]["company"]["name"] == "Southsea Mills LLC"
    assert "1007" in await found(pulled, q="southsea mills")
