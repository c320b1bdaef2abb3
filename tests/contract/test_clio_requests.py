"""The requests of the service, checked against Clio's own OpenAPI document."""

from collections.abc import Iterable
from datetime import date, datetime
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import httpx
import pytest
from pydantic import AwareDatetime, BaseModel

from app.clio import resources
from app.clio.client import ClioClient
from app.clio.local_rate_limit import LocalLimit
from app.clio.models import WhoAmI
from app.clio.resources import WHO_AM_I_FIELDS, WHO_AM_I_PATH, Resource
from app.clio.transport import API_VERSION, ClioTransport, Clock
from app.lanes import Lane
from tests.contract import clio_schema
from tests.contract.clio_schema import Schema

RESOURCES = [found for found in vars(resources).values() if isinstance(found, Resource)]
LARGEST = {"/api/v4/users.json": 2000}  # the document says so in prose only; 200 elsewhere

# Names that the service uses although the document lacks them, and the reason (clio.md §1: the
# document lacks these, Clio's pages have them).
ABSENT = {
    "/oauth/authorize": "OAuth is described on Clio's authorization page, the document has no OAuth endpoints",
    "/oauth/token": "as above",
    "/oauth/deauthorize": "as above",
    "meta": "`meta.paging` and `meta.records` of lists: Clio's paging page, and clients in production",
    "redacted": "`redacted` on a nested record: Clio's permissions page",
}
# Types for which the service accepts more than the document, or something else, and the reason.
WIDER = {
    "CustomFieldValue.id": "the prose shows a composite string; the document types it as integer on write",
    "CustomFieldValue.value": "a string in the document, booleans and numbers on live accounts",
    "MatterStage.practice_area_id": "a string in the document, where every other id is an integer",
}
PYTHON: dict[tuple[str, str | None], set[Any]] = {
    ("integer", None): {int},
    ("boolean", None): {bool},
    ("string", None): {str},
    ("string", "date"): {date},
    ("string", "date-time"): {datetime},
}


def by_name(resource: Resource[Any]) -> str:
    return resource.name


def split(entry: str) -> tuple[str, list[str]]:
    name, _, inner = entry.partition("{")
    return name, [sub for sub in inner.rstrip("}").split(",") if sub]


def who_am_i_fields() -> list[tuple[str, list[str]]]:
    *plain, account = WHO_AM_I_FIELDS.replace("{id,name}", "{id;name}").split(",")
    return [*((name, []) for name in plain), split(account.replace(";", ","))]


@pytest.mark.parametrize("resource", RESOURCES, ids=by_name)
def test_every_list_and_parameter_is_in_the_document(resource: Resource[Any]):
    known = clio_schema.parameters(resource.path)
    sent = {**resource.params, "fields": "", "updated_since": "", "page_token": ""}
    assert sent.keys() <= known.keys()
    assert 1 <= int(resource.params["limit"]) <= LARGEST.get(resource.path, 200)
    if "order" in known:
        assert resource.params["order"] in known["order"]["enum"]
    assert known["updated_since"]["format"] == "date-time"


@pytest.mark.parametrize("resource", RESOURCES, ids=by_name)
def test_every_requested_field_exists_on_both_levels(resource: Resource[Any]):
    known = clio_schema.record_of(resource.path)
    for name, inner in map(split, resource.fields):
        assert name in known
        nested = clio_schema.properties(clio_schema.item(known[name])) if inner else {}
        assert set(inner) <= nested.keys(), name


def test_every_field_of_who_am_i_exists():
    known = clio_schema.record_of(WHO_AM_I_PATH)
    for name, inner in who_am_i_fields():
        assert name in known
        assert set(inner) <= (clio_schema.properties(known[name]) if inner else {}).keys()


@pytest.mark.parametrize("resource", RESOURCES, ids=by_name)
def test_nested_fields_belong_to_records_and_go_one_level_deep(resource: Resource[Any]):
    known = clio_schema.record_of(resource.path)
    for name, inner in map(split, resource.fields):
        assert not any("{" in sub for sub in inner)
        if inner:
            assert clio_schema.properties(clio_schema.item(known[name])), f"{name} is not a record"


@pytest.mark.parametrize("resource", RESOURCES, ids=by_name)
def test_only_requested_fields_can_be_dropped(resource: Resource[Any]):
    asked = {name for entry in resource.fields for name in (split(entry)[0], *split(entry)[1])}
    assert resource.droppable <= asked


@pytest.mark.parametrize("resource", RESOURCES, ids=by_name)
def test_our_models_accept_the_types_of_the_document(resource: Resource[Any]):
    compare(resource.model, clio_schema.record_of(resource.path), map(split, resource.fields))


def test_our_model_of_who_am_i_accepts_the_types_of_the_document():
    compare(WhoAmI, clio_schema.record_of(WHO_AM_I_PATH), who_am_i_fields())


def compare(
    model: type[BaseModel], known: dict[str, Schema], asked: Iterable[tuple[str, list[str]]]
) -> None:
    """Check that each requested field is read as the type that the document has for it."""
    for name, inner in asked:
        accepted = types(model.model_fields[name].annotation) - {NoneType}
        schema = clio_schema.named(known[name])
        nested = [t for t in accepted if isinstance(t, type) and issubclass(t, BaseModel)]
        if nested:
            below = clio_schema.properties(clio_schema.item(schema))
            compare(nested[0], below, ((sub, []) for sub in inner))
        elif f"{model.__name__}.{name}" not in WIDER:
            assert accepted == expected(schema, accepted), f"{model.__name__}.{name}"


def expected(schema: Schema, accepted: set[Any]) -> set[Any]:
    """Return the types that a model must accept for a schema; enum words if the model lists words, in lower case."""
    if "enum" in schema and str not in accepted:
        known = {word.lower() for word in schema["enum"]}
        return {word for word in accepted if word.lower() in known} | (
            known - {word.lower() for word in accepted}
        )
    items = clio_schema.item(schema)
    form = items.get("format")
    return PYTHON[items["type"], form if form in ("date", "date-time") else None]


def types(annotation: Any) -> set[Any]:
    """Return the types and the words that an annotation accepts."""
    origin = get_origin(annotation)
    if origin is Annotated:
        return types(get_args(annotation)[0])
    if origin in (Union, UnionType, tuple):
        return {found for part in get_args(annotation) if part is not ... for found in types(part)}
    if origin is Literal:
        return set(get_args(annotation))
    if annotation is AwareDatetime:  # pydantic's name for a time with an offset
        return {datetime}
    if hasattr(annotation, "__value__"):
        return types(annotation.__value__)
    return {annotation}


def test_the_known_oddities_of_the_document_still_exist():
    """An exception that the document no longer needs must be removed."""
    assert not ABSENT.keys() & clio_schema.document()["paths"].keys()
    assert "meta" not in clio_schema.properties(clio_schema.response("/contacts.json", "get", 200))
    assert "redacted" not in clio_schema.record_of("/contacts.json")
    values = clio_schema.properties(
        clio_schema.item(clio_schema.record_of("/contacts.json")["custom_field_values"])
    )
    assert values["id"]["type"] == values["value"]["type"] == "string"
    assert clio_schema.record_of("/matter_stages.json")["practice_area_id"]["type"] == "string"


async def test_the_requests_of_the_client_are_in_the_document(respx_mock):
    """The addresses are those that the client sends, including pages and incremental pulls."""
    page = {"data": [{"id": 1, "status": "Open"}], "meta": {"paging": {}}}
    route = respx_mock.get(url__startswith="https://app.clio.com/").respond(json=page)
    client = client_for(httpx.AsyncClient())
    since = datetime.fromisoformat("2026-03-03T11:00:00+02:00")
    for resource in RESOURCES:
        made = since if resource is resources.RELATIONSHIPS else None
        async for _ in client.pages(resource, since=since, created_since=made, cursor="a-token"):
            pass
    asked = [call.request for call in route.calls]
    assert [request.url.path for request in asked] == [resource.path for resource in RESOURCES]
    for request in asked:
        known = clio_schema.parameters(request.url.path)
        assert request.url.params.keys() <= known.keys()
        assert request.url.params["updated_since"] == "2026-03-03T09:00:00Z"
        if request.url.path == resources.RELATIONSHIPS.path:  # read in windows
            assert request.url.params["created_since"] == "2026-03-03T09:00:00Z"
        assert request.headers["X-API-VERSION"] == API_VERSION
        assert API_VERSION in clio_schema.document()["info"]["description"]


class OneToken:
    """A token that is never renewed."""

    async def token(self) -> str:
        return "token"

    async def renew(self, refused: str) -> str:
        return refused


def client_for(http: httpx.AsyncClient) -> ClioClient:
    async def no_sleep(seconds: float) -> None:
        raise AssertionError("nothing to wait for")

    clock = Clock(
        seconds=lambda: 0.0,
        now=lambda: datetime.fromisoformat("2026-03-03T11:00:00+00:00"),
        sleep=no_sleep,
    )
    return ClioClient(
        ClioTransport(
            http,
            origin="https://app.clio.com",
            source=OneToken(),
            local_limit=LocalLimit(),
            clock=clock,
            lane=Lane.INITIAL,
        )
    )
