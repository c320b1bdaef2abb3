"""The contract's conventions [API-1..11]: problems, lists, limits, ids, an OpenAPI document that tells the truth."""

from time import monotonic
from typing import Any

import httpx
import pytest

from app.api import cursors, problems
from app.main import Parts, create_app
from tests.support.world import TOKEN, World, config_for, opened_world


async def test_a_problem_has_its_form_and_repeats_nothing_that_was_sent(world: World):
    await world.create_account()
    body = {
        "name": "secret-client-name",
        "time_zone": "Mars/Base",
        "country": "XX",
        "enabled": "maybe",
    }
    answer = await world.api.put("/v1/accounts/hp", json=body, headers={"X-Request-Id": "abc-1"})
    problem = answer.json()
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["x-request-id"] == problem["request_id"] == "abc-1"
    assert problem["type"].endswith(problem["code"])
    assert problem["instance"] == "/v1/accounts/hp"
    assert [error["pointer"] for error in problem["errors"]] == [
        "/time_zone",
        "/country",
        "/enabled",
    ]
    assert "secret" not in answer.text
    assert "Mars" not in answer.text


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
        ("GET", "/v1/accounts/hp/contacts?nonsense=1", b"", 422, "invalid_request"),
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
async def test_bad_input_gets_a_clear_problem(world: World, verb, path, content, status, code):
    await world.create_account()
    headers = {"Content-Type": "application/json"}
    answer = await world.api.request(verb, path, content=content, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer.headers["content-type"] == "application/problem+json"


async def test_a_method_that_is_not_allowed_names_all_that_are(world: World):
    answer = await world.api.request("TRACE", "/v1/accounts/hp")
    assert answer.status_code == 405
    assert answer.headers["allow"] == "DELETE, GET, PUT"


async def test_a_cursor_of_other_filters_or_another_list_is_refused(world: World):
    for account_id in ("a", "b", "c"):
        await world.create_account(account_id)
    page = (await world.api.get("/v1/accounts?limit=2")).json()
    assert page["has_more"]
    rest = (await world.api.get("/v1/accounts", params={"cursor": page["next_cursor"]})).json()
    assert [item["id"] for item in page["data"] + rest["data"]] == ["a", "b", "c"]
    assert (rest["next_cursor"], rest["has_more"]) == (None, False)
    params = {"cursor": page["next_cursor"]}
    for path in ("/v1/accounts/a/runs", "/v1/accounts/a/contacts?tag=x", "/v1/accounts/a/changes"):
        answer = await world.api.get(path, params=params)
        assert (answer.status_code, answer.json()["code"]) == (400, "cursor_mismatch")


ODD_KEYS: list[Any] = ["a\0", "\ud800", 1.5, 10**30, -1, True, None, [], {}]


@pytest.mark.parametrize(("what", "odd"), [("changes", [*ODD_KEYS, "x"]), ("runs", [*ODD_KEYS, 7])])
async def test_a_damaged_cursor_is_said_to_be_one_and_reads_from_nowhere_else(
    world: World, what: str, odd: list[Any]
):
    # API-6, S13
    await world.create_account()
    for after in odd:
        params = {"cursor": cursors.encode(after, what, "hp")}
        answer = await world.api.get(f"/v1/accounts/hp/{what}", params=params)
        assert (answer.status_code, answer.json()["code"]) == (400, "invalid_cursor"), after


async def test_an_id_that_no_database_can_hold_is_refused_and_no_fault(world: World):
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
        answer = await world.api.request(verb, path.format(id="a%00b"))
        assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request"), path


async def test_more_requests_than_the_rate_are_told_to_wait(dsn, simulator):
    app = create_app(config_for(dsn, api_rate=1), dsn, Parts(workers=False, clock=False))
    transport = httpx.ASGITransport(app)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://service.test") as client,
    ):
        headers = {"Authorization": f"Bearer {TOKEN}"}
        began, let_in = monotonic(), 0
        while (answer := await client.get("/v1/accounts", headers=headers)).is_success:
            let_in += 1
            assert let_in <= 4 + (monotonic() - began), "four at once, then one each second"
    assert let_in >= 4
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "1")


async def test_a_fault_of_ours_shows_nothing_of_itself(dsn, simulator):
    # T9
    async with opened_world(dsn, simulator, clock=False, workers=False) as world, world:

        @world.app.get("/broken")
        async def broken() -> None:
            raise RuntimeError("secret detail")

        answer = await world.api.get("/broken")
    assert (answer.status_code, answer.json()["code"]) == (500, "internal_error")
    assert "secret" not in answer.text


async def test_the_process_is_alive_ready_and_measured(world: World):
    # S16
    assert (await world.api.get("/healthz")).json() == {"status": "ok"}
    ready = {"status": "ok", "database": "ok", "schema": "current", "clock": "off"}
    assert (await world.api.get("/readyz")).json() == ready
    await world.create_account("secret-account-id")
    metrics = (await world.api.get("/metrics")).text
    assert 'handler="/v1/accounts/{account_id}"' in metrics
    assert "secret-account-id" not in metrics


async def test_the_openapi_document_makes_a_good_client(world: World):
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
