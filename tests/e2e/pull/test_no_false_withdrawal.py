"""Absence is not deletion: no failure of Clio and no smaller view removes anything [S1, S2]."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from app.simulator.faults.faults import Fault
from tests.support.world import World

EVERYTHING = ("contacts", "matters", "relationships")
Trouble = Callable[[World], Awaitable[None]]

MARKED = ("version", "updated_at", "tags")


def firm(world: World) -> Any:
    return world.simulator.firms[0]


def fault(effect: Any, *paths: str, value: str = "", skip: int = 0, times: int = 999) -> Trouble:
    """Return a function that makes Clio answer requests for these paths with a fault."""

    async def happens(world: World) -> None:
        for path in paths:
            world.simulator.faults.add(Fault(effect, path, times=times, value=value, skip=skip))

    return happens


def both(*troubles: Trouble) -> Trouble:
    async def happen(world: World) -> None:
        for trouble in troubles:
            await trouble(world)

    return happen


def hide_matters(*matter_ids: int) -> Trouble:
    """Limit matters to Ben, who is not connected; Clio answers that they are forbidden."""

    async def happens(world: World) -> None:
        for matter_id in matter_ids:
            firm(world).restrict_matter(matter_id, {502})
        world.simulator.faults.add(Fault("forbidden", r"(matters|relationships)/\d+", times=999))

    return happens


async def lose_roles(world: World) -> None:
    """Make Ann an ordinary user, who sees no matter that is limited to others."""
    firm(world).put("user", {"id": 501, "roles": [], "account_owner": False, "restricted": True})
    for matter_id in (201, 203, 206):
        firm(world).restrict_matter(matter_id, {502})


async def strip_custom_fields(world: World) -> None:
    firm(world).fields_unreadable.add(501)


async def revoke_ann(world: World) -> None:
    world.simulator.oauth["us"].revoke_user(501)


async def only_cat_stays(world: World) -> None:
    """Connect Cat, who sees few contacts, and disconnect Ann, who sees all."""
    await world.connect("u_cat", 503)
    await world.settled()
    found = (await world.api.get("/v1/accounts/hp/connections")).json()["data"]
    (ann,) = [login["id"] for login in found if login["user_id"] == "u_ann"]
    assert (await world.api.delete(f"/v1/accounts/hp/connections/{ann}")).status_code == 204


async def cat_loses_a_matter(world: World) -> None:
    firm(world).restrict_matter(201, {502})


async def many_more(world: World, count: int) -> None:
    """Add contacts until the firm has more than a page of them, and start a full run."""
    for contact_id in range(3000, 3000 + count):
        name = {"type": "Person", "name": f"Person {contact_id}", "last_name": str(contact_id)}
        firm(world).put("contact", {"id": contact_id, "is_client": True, **name})
    await world.run("full")


def grown(count: int, trouble: Trouble) -> Trouble:
    async def happen(world: World) -> None:
        await many_more(world, count)
        await trouble(world)

    return happen


TROUBLES: dict[str, Trouble] = {
    "contacts listed as empty": fault("empty", r"contacts\.json"),
    "matters listed as empty": fault("empty", r"matters\.json"),
    "relationships listed as empty": fault("empty", r"relationships\.json"),
    "everything listed as empty": fault("empty", *(rf"{name}\.json" for name in EVERYTHING)),
    "all small lists empty": fault(
        "empty", "users.json", "custom_fields", "practice_areas", "stages"
    ),
    "a second page that is empty, much missing": grown(
        250, fault("empty", r"contacts\.json", skip=1, times=1)
    ),
    "a second page that is empty, little missing": grown(
        195, fault("empty", r"contacts\.json", skip=1, times=1)
    ),
    "contacts forbidden": fault("forbidden", r"contacts\.json"),
    "matters forbidden": fault("forbidden", r"matters\.json"),
    "relationships forbidden": fault("forbidden", r"relationships\.json"),
    "everything forbidden": fault("forbidden", *(rf"{name}\.json" for name in EVERYTHING)),
    "custom fields forbidden and stripped": both(
        strip_custom_fields, fault("forbidden", "custom_fields")
    ),
    "a field that Clio no longer knows": fault("unknown_field", "contacts", value="title"),
    "matters cut at every page": fault("cut", "matters"),
    "contacts answered with a page of HTML": fault("html", "contacts"),
    "a list that ends in a 404 of a proxy": fault("status", "relationships", value="404"),
    "a matter made invisible": hide_matters(201),
    "every matter made invisible": hide_matters(*range(201, 212)),
    "an administrator who lost the role and much of the view": lose_roles,
    "the only login revoked": revoke_ann,
    "only a restricted login is left": only_cat_stays,
    "a restricted login no longer sees a matter": both(only_cat_stays, cat_loses_a_matter),
    "empty lists and single records behind a broken gateway": both(
        fault("empty", r"relationships\.json"), fault("status", r"relationships/\d+", value="404")
    ),
    "single records answered with HTML": both(
        fault("empty", r"relationships\.json"), fault("html", r"relationships/\d+")
    ),
    "single records forbidden": both(
        fault("empty", r"relationships\.json"), fault("forbidden", r"relationships/\d+")
    ),
}


def without_marks(contacts: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Return the contacts without the marks of restricted tags, because a new mark removes nothing [S7]."""
    return {
        clio_id: {
            **{name: value for name, value in contact.items() if name not in MARKED},
            "tags": [tag["label"] for tag in contact["tags"]],
        }
        for clio_id, contact in contacts.items()
    }


def removes_data(line: dict[str, Any]) -> bool:
    return bool(
        line["kind"] != "contact.updated" or line["tags_removed"] or line["owner"] or line["fields"]
    )


@pytest.mark.parametrize("trouble", TROUBLES.values(), ids=TROUBLES)
async def test_a_smaller_view_removes_nothing(pulled: World, trouble: Trouble):
    # S1, S2, S3, S4, F19, F20
    await trouble(pulled)
    before, lines = without_marks(await pulled.contacts()), await pulled.changes()
    for _ in range(2):
        await pulled.attempted("full")
        assert without_marks(await pulled.contacts()) == before
        told = (await pulled.changes())[len(lines) :]
        assert not any(removes_data(line) for line in told)
    pulled.simulator.faults.clear()
    await pulled.resume()
    await pulled.run("full")
    assert without_marks(await pulled.contacts()) == before
