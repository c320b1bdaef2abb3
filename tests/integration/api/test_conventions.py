"""Conventions of the REST API [API-1 to API-11]: problem documents, lists, limits, ids, the OpenAPI document."""

import asyncio
from time import monotonic
from typing import Any

import httpx
import pytest

from app.api import cursors, problems
from app.db import migrate
from app.db.migrate import SchemaState
from app.db.session import Database
from app.lanes import Lane
from app.main import Parts, create_app
from app.sync import database_probe
from tests.support.postgres import address_of
from tests.support.world import PATIENCE, TOKEN, World, config_for, opened_world


async def test_a_problem_document_is_complete_and_never_repeats_the_input(world: World):
    await world.create_account()
    body = {
        "name": "secret-client-name",
        "time_zone": "Mars/Base",
        "country": "XX",
        "enabled": "maybe",
    }
    response = await world.api.put("/v1/accounts/hp", json=body, headers={"X-Request-Id": "abc-1"})
    problem = response.json()
    assert response.status_code == 422
    assert response.headers["content-type"] == "application/problem+json"
    assert response.headers["x-request-id"] == problem["request_id"] == "abc-1"
    assert problem["type"].endswith(problem["code"])
    assert problem["instance"] == "/v1/accounts/hp"
    assert [error["pointer"] for error in problem["errors"]] == [
        "/time_zone",
        "/country",
        "/enabled",
    ]
    assert "secret" not in response.text
    assert "Mars" not in response.text


@pytest.mark.parametrize(
    ("verb", "path", "content", "status", "code"),
    [
        ("PUT", "/v1/accounts/hp", b"{not json", 400, "invalid_json"),
        ("PUT", "/v1/accounts/hp", b"[" * 100_000, 400, "invalid_json"),
        ("PUT", "/v1/accounts/hp", b'{"name": "a\\u0000b"}', 422, "invalid_request"),
        ("PUT", "/v1/accounts/hp", b"x" * (4 * 1024 * 1024 + 1), 413, "body_too_large"),
        ("PUT", "/v1/accounts/%00", b"{}", 422, "invalid_request"),
        ("GET", "/v1/accounts/hp/contacts?limit=0", b"", 422, "invalid_request"),
        ("GET", "/v1/accounts/hp/contacts?cursor=nonsense", b"", 400, "invalid_cursor"),
        ("GET", "/v1/accounts/hp/contacts?nonsense=1", b"", 422, "unknown_parameter"),
        ("GET", "/v1/accounts/hp/contacts/con_nobody", b"", 404, "contact_not_found"),
        ("GET", "/v1/accounts/hp/runs/run_none", b"", 404, "run_not_found"),
        ("GET", "/v1/accounts/hp/runs/run_none/events", b"", 404, "run_not_found"),
        ("GET", "/v1/accounts/hp/connections/cnx_none", b"", 404, "connection_not_found"),
        ("GET", "/v1/accounts/nobody", b"", 404, "account_not_found"),
        ("GET", "/v1/nothing", b"", 404, "not_found"),
        ("DELETE", "/healthz", b"", 405, "method_not_allowed"),
    ],
    ids=lambda value: str(value)[:40],
)
async def test_invalid_input_gets_a_problem_with_its_code(
    world: World, verb, path, content, status, code
):
    await world.create_account()
    headers = {"Content-Type": "application/json"}
    response = await world.api.request(verb, path, content=content, headers=headers)
    assert (response.status_code, response.json()["code"]) == (status, code)
    assert response.headers["content-type"] == "application/problem+json"


async def test_the_response_to_a_method_that_is_not_allowed_lists_the_allowed_ones(world: World):
    response = await world.api.request("TRACE", "/v1/accounts/hp")
    assert response.status_code == 405
    assert response.headers["allow"] == "DELETE, GET, PATCH, PUT"


async def test_a_cursor_of_another_list_or_other_filters_is_refused(world: World):
    for account_id in ("a", "b", "c"):
        await world.create_account(account_id)
    page = (await world.api.get("/v1/accounts?limit=2")).json()
    assert page["has_more"]
    rest = (await world.api.get("/v1/accounts", params={"cursor": page["next_cursor"]})).json()
    assert [item["id"] for item in page["data"] + rest["data"]] == ["a", "b", "c"]
    assert (rest["next_cursor"], rest["has_more"]) == (None, False)
    params = {"cursor": page["next_cursor"]}
    for path in ("/v1/accounts/a/runs", "/v1/accounts/a/contacts?tag=x", "/v1/accounts/a/changes"):
        response = await world.api.get(path, params=params)
        assert (response.status_code, response.json()["code"]) == (400, "cursor_mismatch")


INVALID_KEYS: list[Any] = ["a\0", "\ud800", 1.5, 10**30, -1, True, None, [], {}]


@pytest.mark.parametrize(
    ("name", "invalid"), [("changes", [*INVALID_KEYS, "x"]), ("runs", [*INVALID_KEYS, 7])]
)
async def test_a_cursor_with_an_invalid_key_is_refused(world: World, name: str, invalid: list[Any]):
    # API-6, S13
    await world.create_account()
    for after in invalid:
        params = {"cursor": cursors.encode(after, name, "hp")}
        response = await world.api.get(f"/v1/accounts/hp/{name}", params=params)
        assert (response.status_code, response.json()["code"]) == (400, "invalid_cursor"), after


async def test_an_id_that_the_database_cannot_store_is_invalid_and_causes_no_error(world: World):
    await world.create_account()
    for verb, path in (
        ("GET", "/v1/webhook-endpoints/{id}"),
        ("GET", "/v1/webhook-endpoints/{id}/deliveries"),
        ("POST", "/v1/webhook-endpoints/{id}/rotate"),
        ("POST", "/v1/deliveries/{id}/redeliver"),
        ("POST", "/v1/accounts/hp/new-clients/{id}/replay"),
        ("GET", "/v1/accounts/hp/activities/{id}"),
        ("POST", "/v1/accounts/hp/activities/{id}/retry"),
        ("POST", "/v1/accounts/hp/issues/{id}/resolve"),
        ("POST", "/v1/accounts/hp/holds/{id}/release"),
        ("GET", "/v1/accounts/hp/contacts/{id}/explain"),
        ("GET", "/v1/accounts/hp/runs/{id}"),
        ("GET", "/v1/accounts/hp/runs/{id}/report"),
        ("GET", "/v1/accounts/hp/connections/{id}"),
    ):
        response = await world.api.request(verb, path.format(id="a%00b"))
        assert (response.status_code, response.json()["code"]) == (422, "invalid_request"), path


async def test_requests_above_the_rate_limit_get_429_with_retry_after(dsn, simulator):
    app = create_app(
        config_for(dsn, api_rate=1), address_of(dsn), Parts(workers=False, clock=False)
    )
    transport = httpx.ASGITransport(app)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://service.test") as client,
    ):
        headers = {"Authorization": f"Bearer {TOKEN}"}
        started, accepted = monotonic(), 0
        while (response := await client.get("/v1/accounts", headers=headers)).is_success:
            accepted += 1
            assert accepted <= 4 + (monotonic() - started), "four at once, then one each second"
    assert accepted >= 4
    assert (response.status_code, response.headers["retry-after"]) == (429, "1")


async def test_the_response_to_an_unexpected_error_has_no_details(dsn, simulator):
    # T9
    async with opened_world(dsn, simulator, clock=False, workers=False) as world, world:

        @world.app.get("/broken")
        async def broken() -> None:
            raise RuntimeError("secret detail")

        response = await world.api.get("/broken")
    assert (response.status_code, response.json()["code"]) == (500, "internal_error")
    assert "secret" not in response.text


async def test_the_process_reports_health_readiness_and_metrics(world: World):
    # S16
    assert (await world.api.get("/healthz")).json() == {"status": "ok"}
    ready = (await world.api.get("/readyz")).json()
    parts = {part.pop("name"): part["state"] for part in ready.pop("parts")}
    assert ready == {"status": "ok", "database": "ok", "schema": "current", "clock": "off"}
    assert parts.keys() > {
        "due_endpoints",
        "worker.earlier_jobs",
        *(f"worker.{lane.label}" for lane in Lane),
    }
    assert set(parts.values()) == {"running"}
    await world.create_account("secret-account-id")
    metrics = (await world.api.get("/metrics")).text
    assert 'handler="/v1/accounts/{account_id}"' in metrics
    assert "secret-account-id" not in metrics


async def test_many_questions_whether_the_process_is_ready_ask_the_database_once(
    world: World, monkeypatch: pytest.MonkeyPatch
):
    # T12
    asked, real, silent = [], migrate.compare_schema, asyncio.Event()

    async def compare(database: Database) -> SchemaState:
        asked.append(database)
        return await real(database)

    async def never(_: Database) -> SchemaState:
        await silent.wait()
        raise AssertionError

    monkeypatch.setattr(migrate, "compare_schema", compare)
    monkeypatch.setattr(database_probe, "FRESH_SECONDS", PATIENCE)
    for _ in range(2):
        async with asyncio.TaskGroup() as group:
            answers = [group.create_task(world.api.get("/readyz")) for _ in range(30)]
        assert {answer.result().status_code for answer in answers} == {200}
    assert len(asked) <= 1  # none if the process has just asked by itself
    monkeypatch.setattr(migrate, "compare_schema", never)
    monkeypatch.setattr(database_probe, "TIMEOUT", 0.01)
    monkeypatch.setattr(database_probe, "FRESH_SECONDS", 0.0)
    for _ in range(2):
        answer = await world.api.get("/readyz")
        assert (answer.status_code, answer.json()["code"]) == (503, "not_ready")


async def test_a_client_can_be_generated_from_the_openapi_document(world: World):
    document = (await world.api.get("/openapi.json")).json()
    assert document["openapi"].startswith("3.1")
    operations = [
        operation
        for path, verbs in document["paths"].items()
        if path.startswith("/v1")
        for operation in verbs.values()
    ]
    ids = [operation["operationId"] for operation in operations]
    assert len(ids) == len(set(ids)) > 18
    assert all(name.replace("_", "").isalpha() for name in ids)
    for operation in operations:
        assert operation["description"] or operation["summary"]
        assert problems.MEDIA_TYPE in operation["responses"]["401"]["content"], operation[
            "operationId"
        ]
    for name in ("AccountIn", "ConnectionIn", "RunIn", "Settings", "PreviewIn", "ActivityIn"):
        assert document["components"]["schemas"][name]["examples"]


@pytest.mark.parametrize("kind", [None, "text/plain", "application/x-www-form-urlencoded"])
async def test_json_without_its_content_type_gets_the_advice_to_send_it(
    world: World, kind: str | None
):
    # API-4
    headers = {"Content-Type": kind} if kind else {}
    answer = await world.api.put("/v1/accounts/hp", content=b'{"name": "x"}', headers=headers)
    assert answer.status_code == 422
    (error,) = answer.json()["errors"]
    assert "send it with `Content-Type: application/json`" in error["detail"]
