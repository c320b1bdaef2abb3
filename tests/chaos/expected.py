"""The contacts that Levitate should have, computed without the service.

They are the result of the pure rules for Clio's own lists, as each connected user sees them.
"""

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

ComparedFields = dict[str, Any]


class ClioReader:
    """Reads lists of the simulated Clio as one user, without the service."""

    def __init__(self, clio_url: str, redirect_uri: str, user: int) -> None:
        self._http = httpx.Client(base_url=clio_url, timeout=60, trust_env=False)
        client_id, secret = credentials("us")
        request = {"client_id": client_id, "redirect_uri": redirect_uri, "response_type": "code"}
        approved = self._http.get("/oauth/authorize", params={**request, "as_user": user})
        code = httpx.URL(approved.headers["location"]).params["code"]
        form = {"client_id": client_id, "client_secret": secret, "redirect_uri": redirect_uri}
        grant = {"grant_type": "authorization_code", "code": code}
        answer = self._http.post("/oauth/token", data={**form, **grant})
        self._http.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def all(self, resource: Resource[Any]) -> Iterator[Any]:
        """Yield every record of a list."""
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


def expected_contacts(readers: Iterable[ClioReader], firm: FirmFacts) -> dict[str, ComparedFields]:
    """Return the fields of each person in scope by Clio id, from what the users see together.

    All users must see all contacts; a matter is hidden if one of them does not see it.
    """
    contacts: dict[int, ContactRecord] = {}
    matters: dict[int, MatterRecord] = {}
    relationships: dict[int, RelationshipRecord] = {}
    visible: list[set[int]] = []
    for reader in readers:
        contacts |= {c.id: mapping.contact_record(c) for c in reader.all(resources.CONTACTS)}
        own = {m.id: mapping.matter_record(m) for m in reader.all(resources.MATTERS)}
        visible.append(set(own))
        matters |= own
        for relationship in reader.all(resources.RELATIONSHIPS):
            record = mapping.relationship_record(relationship)
            relationships |= {record.clio_id: record} if record else {}
    hidden = {m for m in matters if not all(m in own for own in visible)}
    return {
        str(person.clio_id): fields_of_view(view)
        for person in contacts.values()
        if person.is_person
        and (view := _assess(person, contacts, matters, relationships, hidden, firm)) is not None
    }


def _assess(
    person: ContactRecord,
    contacts: Mapping[int, ContactRecord],
    matters: Mapping[int, MatterRecord],
    relationships: Mapping[int, RelationshipRecord],
    hidden: set[int],
    firm: FirmFacts,
) -> ContactView | None:
    by_client: dict[int | None, list[MatterRecord]] = defaultdict(list)
    for matter in matters.values():
        by_client[matter.client_id].append(matter)
    related = [
        RelatedMatter(matters[one.matter_id], one.description, one.clio_id)
        for one in relationships.values()
        if one.contact_id == person.clio_id and one.matter_id in matters
    ]
    facts = ContactFacts(
        contact=person,
        company=contacts.get(person.company_id or 0),
        own_matters=tuple(by_client[person.clio_id]),
        company_matters=tuple(by_client[person.company_id]) if person.company_id else (),
        related_matters=tuple(related),
        hidden=frozenset(hidden),
    )
    return rules.view(None, rules.assess(facts, firm, Settings()))


def fields_of_view(view: ContactView) -> ComparedFields:
    """Return the fields of a view that are compared."""
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


def fields_of_api(contact: Mapping[str, Any]) -> ComparedFields:
    """Return the same fields of a contact in the API's format."""
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
