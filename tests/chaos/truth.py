"""What Levitate should hold, worked out beside the service: Clio's own lists, as each connected user sees them, judged
by the pure rules."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import httpx

from app import rules
from app.clio import resources
from app.clio.resources import Resource
from app.rules.facts import ContactFacts, FirmFacts, RelatedMatter
from app.rules.records import ContactRecord, MatterRecord, RelationshipRecord
from app.rules.results import ContactView
from app.rules.settings import Settings
from app.simulator.http.server import credentials
from app.sync.pull import mapping

Held = dict[str, Any]


class Reader:
    """A user's own look at the simulated Clio, without the service."""

    def __init__(self, clio_url: str, redirect_uri: str, user: int) -> None:
        self._http = httpx.Client(base_url=clio_url, timeout=60, trust_env=False)
        client_id, secret = credentials("us")
        asked = {"client_id": client_id, "redirect_uri": redirect_uri, "response_type": "code"}
        approved = self._http.get("/oauth/authorize", params={**asked, "as_user": user})
        code = httpx.URL(approved.headers["location"]).params["code"]
        form = {"client_id": client_id, "client_secret": secret, "redirect_uri": redirect_uri}
        grant = {"grant_type": "authorization_code", "code": code}
        answer = self._http.post("/oauth/token", data={**form, **grant})
        self._http.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"

    def close(self) -> None:
        """Look no more."""
        self._http.close()

    def all(self, resource: Resource[Any]) -> Iterator[Any]:
        """Every record of a list."""
        params = {**resource.params, "fields": ",".join(resource.fields)}
        while True:
            answer = self._http.get(resource.path, params=params)
            answer.raise_for_status()
            page = answer.json()
            for record in page["data"]:
                yield resource.model.model_validate(record)
            following = page["meta"]["paging"].get("next")
            if following is None:
                return
            params["page_token"] = httpx.URL(following).params["page_token"]


def expected(readers: Iterable[Reader], firm: FirmFacts) -> dict[str, Held]:
    """Everybody in scope, by Clio id, from what these users see together; all of them see all contacts."""
    contacts: dict[int, ContactRecord] = {}
    matters: dict[int, MatterRecord] = {}
    links: dict[int, RelationshipRecord] = {}
    seen: list[set[int]] = []
    for reader in readers:
        contacts |= {c.id: mapping.contact_record(c) for c in reader.all(resources.CONTACTS)}
        mine = {m.id: mapping.matter_record(m) for m in reader.all(resources.MATTERS)}
        seen.append(set(mine))
        matters |= mine
        for link in reader.all(resources.RELATIONSHIPS):
            record = mapping.relationship_record(link)
            links |= {record.clio_id: record} if record else {}
    hidden = {m for m in matters if not all(m in mine for mine in seen)}
    return {
        str(person.clio_id): held(view)
        for person in contacts.values()
        if person.is_person
        and (view := _judged(person, contacts, matters, links, hidden, firm)) is not None
    }


def _judged(
    person: ContactRecord,
    contacts: Mapping[int, ContactRecord],
    matters: Mapping[int, MatterRecord],
    links: Mapping[int, RelationshipRecord],
    hidden: set[int],
    firm: FirmFacts,
) -> ContactView | None:
    of_client: dict[int | None, list[MatterRecord]] = defaultdict(list)
    for matter in matters.values():
        of_client[matter.client_id].append(matter)
    related = [
        RelatedMatter(matters[link.matter_id], link.description, link.clio_id)
        for link in links.values()
        if link.contact_id == person.clio_id and link.matter_id in matters
    ]
    facts = ContactFacts(
        contact=person,
        company=contacts.get(person.company_id or 0),
        own_matters=tuple(of_client[person.clio_id]),
        company_matters=tuple(of_client[person.company_id]) if person.company_id else (),
        related_matters=tuple(related),
        hidden=frozenset(hidden),
    )
    return rules.view(None, rules.assess(facts, firm, Settings()))


def held(view: ContactView) -> Held:
    """What of a view is compared."""
    profile, owner = view.profile, view.owner
    return {
        "tags": sorted(tag.label for tag in view.tags),
        "owner": owner.user_id if owner else None,
        "name": [profile.first_name, profile.last_name, profile.title],
        "emails": [email.address for email in profile.emails],
        "phones": [phone.raw for phone in profile.phones],
        "company": profile.company.name if profile.company else None,
        "key_facts": sorted(fact.label for fact in view.key_facts),
    }


def told(contact: Mapping[str, Any]) -> Held:
    """The same of a contact as the API tells it."""
    owner, company = contact["owner"], contact["company"]
    return {
        "tags": sorted(tag["label"] for tag in contact["tags"]),
        "owner": owner["user_id"] if owner else None,
        "name": [contact[name] for name in ("first_name", "last_name", "title")],
        "emails": [email["address"] for email in contact["emails"]],
        "phones": [phone["raw"] for phone in contact["phones"]],
        "company": company["name"] if company else None,
        "key_facts": sorted(fact["label"] for fact in contact["key_facts"]),
    }
