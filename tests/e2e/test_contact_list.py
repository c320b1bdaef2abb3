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
