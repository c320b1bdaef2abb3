"""Functions that read one contact of the fixture firm, and that change the firm in the simulated Clio."""

from typing import Any

from app.simulator.store.firm import Firm, Record
from tests.support.world import World


def labels(contact: dict[str, Any]) -> set[str]:
    """Return the labels of a contact's tags."""
    return {tag["label"] for tag in contact["tags"]}


def clio(world: World) -> Firm:
    """Return the firm in the simulated Clio."""
    firm: Firm = world.simulator.firms[0]
    return firm


def known(world: World, kind: str, record_id: int) -> Record:
    """Return a record of the simulated Clio."""
    record = clio(world).find(kind, record_id)
    assert record is not None
    return record


def person(contact_id: int, **more: Any) -> Record:
    """Return a person for the simulated Clio with the given fields and default names."""
    return {"id": contact_id, "type": "Person", "name": "New", "last_name": "New", **more}


async def contact(world: World, clio_id: str) -> dict[str, Any]:
    """Return one contact by its Clio id."""
    return (await world.contacts(clio_id=clio_id))[clio_id]


async def tags(world: World, clio_id: str) -> set[str]:
    """Return the labels of one contact's tags."""
    return labels(await contact(world, clio_id))


async def owner(world: World, clio_id: str) -> tuple[str | None, str, str | None]:
    """Return the owner of a contact, the rule, and the matter that decided."""
    found = (await contact(world, clio_id))["owner"]
    return (found["user_id"], found["rule"], found["matter_clio_id"])


async def explain(world: World, clio_id: str) -> dict[str, Any]:
    """Return the explanation of a contact."""
    contact_id = (await contact(world, clio_id))["id"]
    answer = await world.api.get(f"/v1/accounts/hp/contacts/{contact_id}/explain")
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def report(world: World, run: dict[str, Any]) -> dict[str, Any]:
    """Return a run's report."""
    answer = await world.api.get(f"/v1/accounts/hp/runs/{run['id']}/report")
    found: dict[str, Any] = answer.json()
    return found


async def lines_of(world: World, clio_id: str) -> list[dict[str, Any]]:
    """Return the lines of the change feed about one contact, oldest first."""
    return [line for line in await world.changes() if line["clio_id"] == clio_id]


async def new_clients(world: World, **params: Any) -> dict[str, dict[str, Any]]:
    """Return the new-client rows by Clio id."""
    return {row["clio_id"]: row async for row in world.all("new-clients", **params)}
