"""The responses of the simulator agree with Clio's own OpenAPI document."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from jsonschema import ValidationError

from app.clio import quick_pages
from app.clio.resources import CONTACTS, MATTERS, RELATIONSHIPS, Resource
from app.simulator.faults.faults import Fault
from app.simulator.faults.rate_limit import RateLimit
from app.simulator.firms.harlow_pike import harlow_pike
from app.simulator.firms.seeded import seeded_firm
from app.simulator.http.server import Simulator
from app.simulator.store.filters import FILTERS
from app.simulator.store.listing import LISTS, ListSpec
from app.simulator.store.ordering import orders_of
from app.simulator.store.schema import SCHEMAS, Nested
from tests.contract import clio_schema
from tests.support.visitor import Clock, Visitor, simulator_with

# Where Clio's responses are known to differ from its document, and the source of that. A place is a path in the
# response without numbers.
KNOWN = {
    ("additionalProperties", ("meta",)): "lists have `meta`: Clio's paging page",
    (
        "enum",
        ("data", "phone_numbers", "name"),
    ): "Home, Mobile, … are written, so they are read too",
    ("type", ("data", "custom_field_values", "value")): "booleans and numbers on live accounts",
    ("additionalProperties", ("data", "company", "redacted")): "Clio's permissions page",
    ("additionalProperties", ("data", "custom_field_values", "contact", "redacted")): "the same",
}
# Fields of Clio's that the simulator does not have. A request for one of them is refused.
LACKING = {
    "contact": "currency activity_rates custom_field_set_associations instant_messengers web_sites notification_methods"
    " account_balances related_contacts kyc_field_values primary_work_address primary_address secondary_address avatar"
    " payment_profile folder co_counsel_rate primary_web_site legal_aid_uk_contact",
    "matter": "currency contingency_fee custom_rate evergreen_retainer folder matter_budget statute_of_limitations"
    " legal_aid_uk_matter attorney_allocation account_balances custom_field_set_associations matter_bill_recipients"
    " relationships task_template_list_instances kyc_field_values split_invoice_payers",
    "user": "default_activity_description notification_methods avatar contact",
    "group": "users",
    "note": "time_entries notification_event_subscribers",
    "communication": "communication_eml_file time_entries documents notification_event_subscribers",
    "participant": "avatar created_at initials job_title_name secondary_identifier updated_at",
    "external_property": "created_at updated_at",
}
DOCUMENT_NAMES = {  # the document's name of a kind, where it differs
    "account": "Account_base",
    "address": "Address_base",
    "external_property": "ExternalProperty_base",
    "job_title": "JobTitle_base",
    "matter_selection": "CustomFieldMatterSelection_base",
}
EVERYWHERE = {"limit", "order", "page_token", "fields"}
PROSE = {"offset"}  # absent from the document, on Clio's paging page
USERS = {"fixture": (501, 502, 503), "seeded": (601, 607)}


@pytest.fixture(scope="module")
def simulator() -> Simulator:
    clock = Clock()
    firms = [harlow_pike(clock), seeded_firm(contacts=200, now=clock)]
    return simulator_with(*firms, clock=clock)


@pytest.fixture(autouse=True)
def no_faults(simulator: Simulator) -> Iterator[None]:
    yield
    simulator.faults.clear()


def fields_of(kind: str) -> dict[str, clio_schema.Schema]:
    """Return the document's fields of a kind."""
    schema = DOCUMENT_NAMES.get(kind, "".join(part.title() for part in kind.split("_")))
    return clio_schema.properties({"$ref": f"#/components/schemas/{schema}"})


def every_field(kind: str) -> str:
    """Return a `fields` value with all fields of both levels that the document has.

    The document lists no associations of nested records; Clio's page on fields says that they can be named too.
    """
    shape, known = SCHEMAS[kind], fields_of(kind)
    braced = [
        f"{name}{{{','.join(sorted(names_of(nested) & clio_schema.properties(clio_schema.item(known[name])).keys()))}}}"
        for name, nested in shape.nested.items()
    ]
    return ",".join([*sorted(shape.plain), *braced])


def names_of(nested: Nested) -> set[str]:
    shape = SCHEMAS[nested.kind]
    return {*shape.plain, *shape.nested}


def document_path(path: str) -> str:
    """Return the document's path for the path of a request."""
    parts = path.removeprefix("/api/v4").removesuffix(".json").split("/")
    return "/".join("{id}" if part.isdecimal() else part for part in parts) + ".json"


def places(error: ValidationError) -> set[tuple[str, tuple[str, ...]]]:
    """Return each error with its place."""
    where = tuple(str(part) for part in error.absolute_path if not isinstance(part, int))
    if error.validator != "additionalProperties":
        return {(str(error.validator), where)}
    instance: Any = error.instance
    schema: Any = error.schema
    extra = instance.keys() - schema["properties"].keys()
    return {("additionalProperties", (*where, name)) for name in extra}


def misfits(answer: httpx.Response) -> set[tuple[str, tuple[str, ...]]]:
    """Return the parts of a response that the document does not allow."""
    request = answer.request
    method = request.method.lower()
    checker = clio_schema.validator(document_path(request.url.path), method, answer.status_code)
    return {found for error in checker.iter_errors(answer.json()) for found in places(error)}


async def answers_of(visitor: Visitor, kinds: dict[str, str]) -> list[httpx.Response]:
    """Return the responses for lists and single records of all kinds, with all fields and without `fields`."""
    found = []
    for path, kind in kinds.items():
        listed = await visitor.get(f"{path}.json", fields=every_field(kind), order="id(asc)")
        if listed.status_code == 400:  # a list without an order
            listed = await visitor.get(f"{path}.json", fields=every_field(kind))
        found += [listed, await visitor.get(f"{path}.json")]
        if path == "matter_stages":  # the document has no path for a single stage
            continue
        for record in listed.json()["data"][:20]:
            single = f"{path}/{record['id']}.json"
            found += [
                await visitor.get(single, fields=every_field(kind)),
                await visitor.get(single),
            ]
    found.append(await visitor.get("users/who_am_i.json", fields=every_field("user")))
    return found


KINDS = {path: LISTS[path].kind for path in (
    "contacts", "matters", "relationships", "users", "custom_fields", "practice_areas", "matter_stages", "groups",
)}  # fmt: skip


async def test_every_list_and_every_single_record_is_valid_and_every_exception_is_needed(simulator):
    met: set[tuple[str, tuple[str, ...]]] = set()
    for users in USERS.values():
        for user_id in users:
            visitor = await Visitor(simulator).login(user_id)
            for answer in await answers_of(visitor, KINDS):
                assert answer.status_code == 200, (str(answer.url), answer.text)
                assert answer.headers["content-type"] == "application/json; charset=utf-8"
                found = misfits(answer)
                assert found <= KNOWN.keys(), (str(answer.url), found - KNOWN.keys())
                met |= found
    assert met == KNOWN.keys()


async def test_a_user_without_the_fields_gets_valid_answers_too(simulator):
    firm = simulator.firms[0]
    firm.fields_unreadable.add(502)
    try:
        visitor = await Visitor(simulator).login(502)
        answer = await visitor.get("contacts.json", fields=every_field("contact"))
        refused = await visitor.get("custom_fields.json")
    finally:
        firm.fields_unreadable.clear()
    assert misfits(answer) <= KNOWN.keys()
    assert refused.status_code == 403
    assert not misfits(refused)


async def test_every_write_is_valid(simulator):
    other = await Visitor(simulator, other=True).login(501)
    contact = {"type": "Person", "first_name": "Zoë"}
    matter = {"client": {"id": 1001}, "description": "New"}
    for path, data, change in (
        ("contacts", contact, {"title": "CFO"}),
        ("matters", matter, {"status": "closed"}),
    ):
        made = await other.write("POST", f"{path}.json", data)
        assert made.status_code == 201
        assert not misfits(made)
        single = f"{path}/{made.json()['data']['id']}.json"
        changed = await other.write("PATCH", single, change)
        assert changed.status_code == 200
        assert not misfits(changed)
        stale = await other.write("PATCH", single, change, {"If-Match": '"stale"'})
        assert stale.status_code == 412
        assert not misfits(stale)
        broken = await other.write("POST", f"{path}.json", {**data, "nonsense": 1})
        assert broken.status_code == 400
        assert not misfits(broken)
        gone = await other.write("DELETE", single)
        assert gone.status_code == 204
        assert (
            str(gone.status_code)
            in clio_schema.operation(f"/{path}/{{id}}.json", "delete")["responses"]
        )
    nameless = await other.write("POST", "contacts.json", {"type": "Person"})
    assert nameless.status_code == 422
    assert not misfits(nameless)


@pytest.mark.parametrize(
    ("path", "params", "fault", "status"),
    [
        ("contacts.json", {"fields": "nonsense"}, None, 400),
        ("contacts.json", {"limit": "0"}, None, 400),
        ("contacts.json", {}, Fault("forbidden", path="contacts"), 403),
        ("contacts/999999.json", {}, None, 404),
        ("contacts.json", {}, Fault("rate_limited", path="contacts", value="3"), 429),
    ],
)
async def test_every_refusal_has_clios_error_format(simulator, path, params, fault, status):
    if fault is not None:
        simulator.faults.add(fault)
    answer = await (await Visitor(simulator).login(501)).get(path, **params)
    assert answer.status_code == status
    assert not misfits(answer)


@pytest.mark.parametrize(
    ("params", "headers", "status"),
    [
        ({}, {"X-API-VERSION": "5"}, 410),  # in the document's prose only
        ({"order": "id(asc)", "offset": "9999"}, {}, 422),  # the document has 422 for writes only
    ],
)
async def test_refusals_that_are_documented_in_prose_only_have_the_same_format(
    simulator, params, headers, status
):
    answer = await (await Visitor(simulator).login(501)).get("contacts.json", headers, **params)
    assert answer.status_code == status
    error = clio_schema.checked(clio_schema.strict({"$ref": "#/components/schemas/Error"}))
    assert error.is_valid(answer.json())
    assert "410" not in clio_schema.operation("/contacts.json")["responses"]
    assert "422" not in clio_schema.operation("/contacts.json")["responses"]


async def test_an_invalid_token_is_refused_in_oauths_format_although_the_document_has_clios(
    simulator,
):
    """Clio's support article shows this body for 401; the document says Error."""
    answer = await Visitor(simulator).get("contacts.json")
    assert answer.status_code == 401
    assert answer.json()["error"] == "invalid_token"
    assert misfits(answer) >= {("type", ("error",))}


async def test_a_wrapped_429_has_a_format_that_the_document_does_not_have(simulator):
    """One client in production unwraps it (clio.md §9)."""
    visitor = await Visitor(simulator).login(501)
    limits = simulator.limits
    simulator.limits, simulator.quirks.wraps_rate_limit = RateLimit(0), True
    try:
        answer = await visitor.get("contacts.json")
    finally:
        simulator.limits, simulator.quirks.wraps_rate_limit = limits, False
    assert answer.status_code == 429
    assert misfits(answer) == {("additionalProperties", ("data",)), ("required", ())}


@pytest.mark.parametrize("kind", SCHEMAS)
def test_the_table_of_fields_agrees_with_the_document(kind):
    known, shape = fields_of(kind), SCHEMAS[kind]
    lacking = set(LACKING.get(kind, "").split())
    assert shape.plain | shape.nested.keys() == known.keys() - lacking
    assert lacking <= known.keys()
    for name in shape.plain:
        assert not clio_schema.properties(clio_schema.item(known[name])), f"{name} is a record"
    for name, nested in shape.nested.items():
        inner = clio_schema.properties(clio_schema.item(known[name]))
        held = SCHEMAS[nested.kind]
        assert (clio_schema.named(known[name]).get("type") == "array") is nested.many
        # A nested record has no further level, or only the default fields of one.
        assert held.plain <= inner.keys(), name


@pytest.mark.parametrize("path", LISTS)
def test_every_parameter_of_the_document_is_served_or_refused_by_name(path):
    known = clio_schema.parameters(f"/{path}.json")
    rule = LISTS[path]
    assert rule.filters | rule.not_simulated == known.keys() - EVERYWHERE
    assert not rule.filters & rule.not_simulated
    served, refused = orders_of(rule.kind)
    assert served | refused == set(known.get("order", {}).get("enum", []))
    assert rule.ordered is ("order" in known)


def test_every_filter_belongs_to_a_list():
    assert FILTERS.keys() <= {name for rule in LISTS.values() for name in rule.filters}


def needed(rule: ListSpec, name: str = "") -> dict[str, Any]:
    """Return the parameters without which the list refuses a request that has the parameter `name`."""
    found: dict[str, Any] = (
        {"type": "Contact"} if rule.required == "type" and name != "type" else {}
    )
    return {**found, **({rule.needs[name]: "smith"} if name in rule.needs else {})}


SAMPLES: dict[str, Any] = {
    "boolean": "true",
    "integer": "1",
    "date-time": "2020-01-01T00:00:00Z",
    "string": "smith",
}


@pytest.mark.parametrize("path", LISTS)
async def test_every_filter_and_order_that_the_document_has_answers(simulator, path):
    visitor = await Visitor(simulator).login(601)
    rule = LISTS[path]
    for name, schema in clio_schema.parameters(f"/{path}.json").items():
        if name in EVERYWHERE:
            continue
        form = "date-time" if schema.get("format") == "date-time" else schema["type"]
        for word in schema.get("enum", [SAMPLES[form]]):
            value = word.replace("DATE", "2024-01-01")
            answer = await visitor.get(f"{path}.json", **needed(rule, name), **{name: value})
            assert answer.status_code == (200 if name in rule.filters else 400), answer.text
            assert "not simulated" in answer.text or answer.status_code == 200
    for order in clio_schema.parameters(f"/{path}.json").get("order", {}).get("enum", []):
        answer = await visitor.get(f"{path}.json", order=order, offset="0", **needed(rule))
        assert answer.status_code == (200 if order in orders_of(rule.kind)[0] else 400)


@pytest.mark.parametrize("resource", [CONTACTS, MATTERS, RELATIONSHIPS], ids=lambda one: one.name)
@pytest.mark.parametrize("user", [501, 503, 601])
async def test_its_pages_are_read_quickly(simulator: Simulator, resource: Resource[Any], user: int):
    visitor = await Visitor(simulator).login(user)
    path = resource.path.removeprefix("/api/v4/")
    asked: dict[str, Any] = {**resource.params, "fields": ",".join(resource.fields)}
    answer = await visitor.get(path, **asked)
    assert quick_pages.kind_for(resource.name, answer.content)
    page = quick_pages.read_page(resource.name, answer.content)
    assert page is not None
    assert len(page[0]) == len(answer.json()["data"]) > 0
