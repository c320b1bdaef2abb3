"""The actions about the matters of a person: they are closed, or limited to one user."""

from collections import Counter
from collections.abc import Sequence

from app.simulator.sandbox.effects import (
    ACCOUNT,
    Action,
    Given,
    Outcome,
    Shown,
    clio_id,
    shown_by_run,
)
from app.simulator.sandbox.problems import NotPossible
from app.simulator.sandbox.scene import Scene, named
from app.simulator.store.firm import Record
from app.simulator.store.writes import WRITES, WriteRequest

Found = tuple[Record, Sequence[Record]]  # a person and the person's open matters


def _find(scene: Scene, given: Given) -> Found:
    """Return a person with all open matters of that person: the given one, or one with a single open matter."""
    matters = [scene.firm.find("matter", matter_id) or {} for matter_id in scene.firm.ids("matter")]
    opened = [matter for matter in matters if matter["status"] == "open"]
    if "contact_id" not in given:
        return _choose(scene, opened)
    person = scene.person(given["contact_id"])
    own = [matter for matter in opened if matter["client_id"] == person["id"]]
    if not own:
        raise NotPossible(f"{named(person)} has no open matter; name another person.")
    return person, own


def _choose(scene: Scene, opened: Sequence[Record]) -> Found:
    """Return the first person whose only open matter everybody sees, and who represents no company."""
    counts = Counter(matter["client_id"] for matter in opened)
    for matter in opened:
        person = scene.firm.find("contact", matter["client_id"]) or {}
        is_plain = person.get("type") == "Person" and not person.get("company_id")
        is_only = counts[matter["client_id"]] == 1
        if is_only and is_plain and person.get("name") and not _is_restricted(scene, matter):
            return person, [matter]
    raise NotPossible(
        "No person is left whose only open matter the whole firm sees. Add a new client first, or name a person."
    )


def _is_restricted(scene: Scene, matter: Record) -> bool:
    group = scene.firm.find("group", matter.get("group_id")) or {}
    return matter["only_users"] is not None or group.get("type") not in (None, "AccountGroup")


def _change(scene: Scene, matter: Record, **data: object) -> None:
    change = WRITES["PATCH", "matters"]
    change(WriteRequest(scene.firm, scene.user_id, matter["id"], data))


def _listed(matters: Sequence[Record]) -> str:
    return ", ".join(f"{matter['display_number']} (Clio id {matter['id']})" for matter in matters)


def _ids(person: Record, matters: Sequence[Record]) -> dict[str, str | list[str]]:
    return {
        "contact_id": str(person["id"]),
        "matter_ids": [str(matter["id"]) for matter in matters],
    }


def _close(scene: Scene, given: Given) -> Outcome:
    person, matters = _find(scene, given)
    today = scene.simulator.now().date().isoformat()
    for matter in matters:
        _change(scene, matter, status="closed", close_date=today)
    done = f"{named(person)} has no open matter any more; closed: {_listed(matters)}."
    return Outcome(done, _ids(person, matters))


def _restrict(scene: Scene, given: Given) -> Outcome:
    person, matters = _find(scene, given)
    user = scene.record("user", given.get("user_id", scene.user_id))
    group_id = _group_of_some(scene)
    for matter in matters:
        # Clio shows the limit by the group of the matter, and withholds the matter from all others.
        _change(scene, matter, group={"id": group_id})
        scene.firm.restrict_matter(matter["id"], {user["id"]})
    done = f"Only {named(user)} sees the open matters of {named(person)} now: {_listed(matters)}."
    return Outcome(done, {**_ids(person, matters), "user_id": str(user["id"])})


def _group_of_some(scene: Scene) -> int:
    """Return the id of a group of some users; add one if the firm has none."""
    firm = scene.firm
    groups = (firm.find("group", group_id) or {} for group_id in firm.ids("group"))
    found = next((group["id"] for group in groups if group["type"] == "AdhocGroup"), None)
    if found is not None:
        return int(found)
    new_id = firm.next_id("group")
    firm.put("group", {"id": new_id, "name": "Ethical wall", "type": "AdhocGroup"})
    return new_id


_PERSON = clio_id("contact_id", "Clio id of the person")
CLOSE = Action(
    id="close-matter",
    title="A matter closed",
    does="Closes the open matters of a person; by default of somebody who has only one.",
    perform=_close,
    find=_find,
    parameters=(_PERSON,),
    shows=(
        shown_by_run("incremental"),
        Shown(
            "The tag Active Client is gone: the person is a Past Client, or a Pending Client with a pending matter."
            " A person stays active who represents a company with an open matter.",
            endpoint=f"GET {ACCOUNT}/contacts?clio_id={{contact_id}}",
        ),
        Shown(
            "A line of the kind contact.updated with tags_added and tags_removed.",
            endpoint=f"GET {ACCOUNT}/changes",
        ),
        Shown("Tells that the feed has new lines.", event="contacts.changed"),
    ),
)
RESTRICT = Action(
    id="restrict",
    title="A person becomes restricted",
    does="Limits the open matters of a person to one user of the firm, as an ethical wall does.",
    perform=_restrict,
    find=_find,
    parameters=(_PERSON, clio_id("user_id", "Clio id of the user who still sees them")),
    shows=(
        shown_by_run("incremental"),
        Shown(
            "The tag Active Client has restricted true, and so has each tag that only these matters give. With the"
            " setting /restricted_matters/withhold these tags are gone instead. If the user is not connected and no"
            " login sees the matters any more, they count as deleted after a full run.",
            endpoint=f"GET {ACCOUNT}/contacts?clio_id={{contact_id}}",
        ),
        Shown(
            "A line of the kind contact.updated with the contact and its tags.",
            endpoint=f"GET {ACCOUNT}/changes",
        ),
        Shown("Tells that the feed has new lines.", event="contacts.changed"),
    ),
)
