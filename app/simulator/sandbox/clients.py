"""The actions about people: a new client, many new clients, and a merge of two contacts."""

from collections.abc import Iterator

from app.simulator.sandbox.effects import (
    ACCOUNT,
    Action,
    Given,
    Outcome,
    Parameter,
    Shown,
    clio_id,
    shown_by_run,
)
from app.simulator.sandbox.problems import NotPossible
from app.simulator.sandbox.scene import Scene, named
from app.simulator.store.firm import Record
from app.simulator.store.merges import merge_contacts
from app.simulator.store.writes import WRITES, WriteRequest

_FIRST_NAMES = ("Nora", "Milan", "Aisha", "Piotr", "Léa", "Tomás", "Ingrid", "Kofi")
ABOVE_THRESHOLD = 51  # the default of the setting /new_client/surge_threshold is 50
MOST_AT_ONCE = 500


def _add_person(scene: Scene) -> Record:
    """Add a person whom the firm marks as a client; nobody else has the name or the address."""
    number = next(scene.interruptions.numbers)
    address = {"name": "Work", "address": f"sandbox-{number}@mail.test", "default_email": True}
    data = {
        "type": "Person",
        "first_name": _FIRST_NAMES[number % len(_FIRST_NAMES)],
        "last_name": f"Sandbox-{number}",
        "email_addresses": [address],
    }
    add = WRITES["POST", "contacts"]
    added = add(WriteRequest(scene.firm, scene.user_id, None, data)) or {}
    # Clio's API has no attribute for it: the firm marks a client in Clio's pages.
    return scene.firm.put("contact", {"id": added["id"], "is_client": True})


def _new_client(scene: Scene, _given: Given) -> Outcome:
    person = _add_person(scene)
    data = {
        "client": {"id": person["id"]},
        "description": "Advice",
        "status": "open",
        "responsible_attorney": {"id": scene.user_id},
    }
    add = WRITES["POST", "matters"]
    matter = add(WriteRequest(scene.firm, scene.user_id, None, data)) or {}
    return Outcome(
        f"{named(person)} is a new client, with the open matter {matter['display_number']}"
        f" (Clio id {matter['id']}).",
        {"contact_id": str(person["id"]), "matter_id": str(matter["id"])},
    )


def _surge(scene: Scene, given: Given) -> Outcome:
    people = [_add_person(scene) for _ in range(given["count"])]
    first, last = people[0], people[-1]
    return Outcome(
        f"{len(people)} new clients were added, from {named(first)} to {named(last)}.",
        {"contact_ids": [str(person["id"]) for person in people]},
    )


def _find_merge(scene: Scene, given: Given) -> tuple[Record, Record]:
    """Return who is deleted and who stays."""
    old = scene.person(given["contact_id"]) if "contact_id" in given else None
    new = scene.person(given["into_contact_id"]) if "into_contact_id" in given else None
    for person in _people_with_matters(scene):
        if old is None and person is not new and _addresses(person):
            old = person
        elif new is None and person is not old:
            new = person
        if old and new:
            break
    if old is None or new is None:
        raise NotPossible(
            "No two people are left to merge: the first needs an e-mail address and a matter, the second a matter."
            " Add a new client first."
        )
    if old["id"] == new["id"]:
        raise NotPossible("A contact cannot be merged with itself; name two contacts.")
    if not _addresses(old) and old.get("name") != new.get("name"):
        raise NotPossible(
            f"{named(old)} has no e-mail address and another name than {named(new)}. The service recognises a merge"
            " by the name or an e-mail address, so nothing would show it; name another contact."
        )
    return old, new


def _people_with_matters(scene: Scene) -> Iterator[Record]:
    """Yield the clients of matters whom the sandbox's user sees, each once, in the order of their matters."""
    seen = set[int]()
    for matter_id in scene.firm.ids("matter"):
        matter = scene.firm.find("matter", matter_id) or {}
        person = scene.firm.find("contact", matter.get("client_id"))
        if person is None or person["id"] in seen or person["type"] != "Person":
            continue
        if person.get("name") and scene.firm.sees(scene.user_id, "matter", matter_id):
            seen.add(person["id"])
            yield person


def _addresses(person: Record) -> set[str]:
    """Return the e-mail addresses of a person; Clio also has empty ones."""
    parts = person.get("email_addresses") or []
    return {part["address"].strip() for part in parts if part["address"].strip()}


def _merge(scene: Scene, given: Given) -> Outcome:
    old, new = _find_merge(scene, given)
    merge_contacts(scene.firm, old["id"], new["id"])
    return Outcome(
        f"{named(old)} was merged into {named(new)}: the second has the matters and addresses of both, the first is"
        " deleted.",
        {"contact_id": str(old["id"]), "into_contact_id": str(new["id"])},
    )


NEW_CLIENT = Action(
    id="new-client",
    title="A new client",
    does="Adds a person whom the firm marks as a client, with an open matter.",
    perform=_new_client,
    shows=(
        shown_by_run("incremental"),
        Shown(
            "The person is in Levitate, with the tags Client and Active Client.",
            endpoint=f"GET {ACCOUNT}/contacts?clio_id={{contact_id}}",
        ),
        Shown(
            "A row with the person's clio_id and the status emitted.",
            endpoint=f"GET {ACCOUNT}/new-clients?order=newest",
        ),
        Shown(
            "A line of the kind contact.added with the whole contact.",
            endpoint=f"GET {ACCOUNT}/changes",
        ),
        Shown("Sent once: start the new-client automation.", event="client.new"),
    ),
)
MERGE = Action(
    id="merge",
    title="A merge of two contacts",
    does="Merges a client into another one as Clio does: the second gets matters and addresses, the first is deleted.",
    perform=_merge,
    find=_find_merge,
    parameters=(
        clio_id("contact_id", "Clio id of the person who is deleted"),
        clio_id("into_contact_id", "Clio id of the person who stays"),
    ),
    shows=(
        shown_by_run("full", "Clio's lists do not tell deletions; only a full run looks for them."),
        Shown(
            "The first is deleted; merged_into is our id of the second.",
            endpoint=f"GET {ACCOUNT}/contacts?clio_id={{contact_id}}",
        ),
        Shown(
            "The second has the e-mail addresses of both.",
            endpoint=f"GET {ACCOUNT}/contacts?clio_id={{into_contact_id}}",
        ),
        Shown(
            "A line of the kind contact.deleted for the first, with merged_into.",
            endpoint=f"GET {ACCOUNT}/changes",
        ),
        Shown(
            "Tells that the feed has new lines. Nobody is announced again.",
            event="contacts.changed",
        ),
    ),
)
SURGE = Action(
    id="surge",
    title="A surge of new clients",
    does="Adds more new clients than the setting /new_client/surge_threshold allows in 24 hours.",
    perform=_surge,
    parameters=(Parameter("count", "How many people", MOST_AT_ONCE, ABOVE_THRESHOLD),),
    shows=(
        shown_by_run("incremental"),
        Shown("The people are in Levitate.", endpoint=f"GET {ACCOUNT}/contacts?q=sandbox"),
        Shown(
            "An open hold of the kind new_clients. Release or discard it with POST …/holds/{hold_id}/release or"
            " /discard.",
            endpoint=f"GET {ACCOUNT}/holds?status=open",
        ),
        Shown(
            "The rows have the status held, held_for is surge.",
            endpoint=f"GET {ACCOUNT}/new-clients?status=held",
        ),
        Shown("Open until somebody decides about the hold.", issue="new_client_surge"),
        Shown("Not sent for these people before the release.", event="client.new"),
    ),
)
