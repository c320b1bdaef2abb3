"""A firm with an ethical wall: who may see what in the simulated Clio, and what of it a response reveals."""

import re
from collections.abc import Iterable, Iterator
from typing import Any

import httpx

from app.simulator.store.firm import Firm
from tests.support.first_run import AfterFirstRun
from tests.support.postgres import Server
from tests.support.world import World, opened_world

HP = "/v1/accounts/hp"
LOGINS = {"u_ann": 501, "u_ben": 502, "u_cat": 503}
WALL = {"privacy": {"respect_visibility": True}}


SETTINGS = {
    "tags": {
        "location": {"city": True},
        "matter_number": {"enabled": True},
        "relationships": {"enabled": True},
        "responsible_attorney": "all",
        "custom_fields": [{"field_id": "5"}],
    },
    "scope": {"include_related": True},
    "key_facts": {"custom_date_field_ids": ["6"]},
}
NOTE = {"kind": "note", "user_id": "u_ann", "occurred_at": "2026-03-02T12:00:00Z", "body": "Met"}


async def firm_with_walls(server: Server, start: AfterFirstRun) -> AfterFirstRun:
    """Return Harlow & Pike with three logins, two of which do not see all matters, and all kinds of data.

    The setting is on. Nobody but Ann sees matter 201, nobody but Ben 208 and 209, and Cat does not see 206, nor the
    company of 1002.
    """
    dsn, simulator = await server.new_template("walls", base=start.template), start.simulator()
    firm = simulator.firms[0]
    firm.put("contact", {"id": 2002, "type": "Company", "name": "Holding Corp", "is_client": False})
    firm.put("contact", {"id": 1002, "company_id": 2002})
    for matter_id, users in ((201, {501}), (206, {501, 502}), (209, {502})):
        firm.restrict_matter(matter_id, users)
    async with opened_world(dsn, simulator, clock=False) as world, world:
        await world.choose(SETTINGS)
        for user_id, clio_user in LOGINS.items():
            await world.connect(user_id, clio_user)
            await world.settled()
        await _add_people(world, firm)
        await world.run("full")  # Ann loses what was restricted after the first run
        await world.idle()
        await world.housekept()
        await world.choose(WALL)
    return AfterFirstRun("walls", simulator)


async def _add_people(world: World, firm: Firm) -> None:
    """Write activities and labels, and find four new clients, who wait; Cat sees one of them, by a matter."""
    for number, clio_id in enumerate(("1001", "1004", "1008")):
        note, key = {**NOTE, "clio_contact_id": clio_id}, {"Idempotency-Key": f"note-{number}"}
        assert (await world.api.post(f"{HP}/activities", json=note, headers=key)).is_success
        contact = (await world.contacts(clio_id=clio_id))[clio_id]
        url = f"{HP}/contacts/{contact['id']}/preexisting-tags"
        assert (await world.api.post(url, json={"labels": ["VIP"]})).is_success
    for enabled in (False, True):  # the history has numbers of matters that were removed
        await world.choose({"tags": {"matter_number": {"enabled": enabled}}})
    await world.choose({"new_client": {"surge_threshold": 1}})
    client = {**(firm.find("contact", 1006) or {}), "is_client": True}
    for new_id in (5000, 5001, 5002, 5003):
        name, address = f"New{new_id}", f"new{new_id}@mail.test"
        emails = [{"id": new_id * 10, "name": "Work", "address": address, "primary": True}]
        new = {**client, "id": new_id, "last_name": name, "email_addresses": emails}
        firm.put("contact", new)
    matter = {**(firm.find("matter", 203) or {}), "display_number": "00500-New"}
    firm.put("matter", {**matter, "id": 500, "client_id": 5000})
    await world.run()


def acting(user_id: str, role: str = "user") -> dict[str, str]:
    """Return the headers of a request for a user of the firm."""
    return {"Levitate-User": user_id, "Levitate-Role": role}


async def all_for(world: World, user_id: str, what: str, **params: Any) -> list[dict[str, Any]]:
    """Return all items of a list as a user of the firm gets them, page by page."""
    found: list[dict[str, Any]] = []
    page: dict[str, Any] = {"next_cursor": None, "has_more": True}
    while page["has_more"]:
        asked = {"limit": 2, **params}
        if page["next_cursor"]:
            asked["cursor"] = page["next_cursor"]
        response = await world.api.get(f"{HP}/{what}", params=asked, headers=acting(user_id))
        assert response.status_code == 200, response.text
        page = response.json()
        found += page["data"]
    return found


async def get_for(world: World, user_id: str, what: str, role: str = "user") -> httpx.Response:
    """Return a response as a user of the firm gets it."""
    return await world.api.get(f"{HP}/{what}", headers=acting(user_id, role))


def hidden_words(firm: Firm, user_id: str, ids: dict[str, list[str]]) -> Iterator[str]:
    """Yield what would reveal something that Clio does not show to a user: names, addresses, numbers and ids.

    `ids` are our ids of what belongs to a contact, by Clio's id.
    """
    clio_user = LOGINS.get(user_id)
    for kind in ("contact", "matter"):
        for clio_id in firm.ids(kind):
            if clio_user is not None and firm.sees(clio_user, kind, clio_id):
                continue
            record = firm.find(kind, clio_id) or {}
            if record.get("type") == "Company":  # Clio shows its id, but not its name
                yield record["name"]
                continue
            yield str(clio_id)
            yield from ids.get(str(clio_id), [])
            yield from filter(None, (record.get("display_number"), record.get("last_name")))
            yield from (part["address"] for part in record.get("email_addresses") or [])


def revealed(text: str, words: Iterable[str]) -> set[str]:
    """Return those of the words that a text contains; a number counts only as a whole."""
    return {
        word
        for word in words
        if re.search(
            rf"(?<![\w.:+-]){word}(?![\w.:-])|_{word}\"" if word.isdigit() else re.escape(word),
            text,
        )
    }
