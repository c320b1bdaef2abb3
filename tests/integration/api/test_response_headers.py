"""No response is kept in a cache, shown in a frame or read as another type, and pages run only own scripts [T11]."""

import re
from typing import Any

import httpx
import pytest
from pydantic import SecretStr

from app.api.response_headers import HSTS, NO_STORE
from app.config import Config
from app.db.accounts import accounts
from app.main import create_app, create_worker_app
from tests.support.postgres import address_of
from tests.support.world import World, config_for

STRICT = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"


def operations(world: World) -> list[tuple[str, str]]:
    """Return the method and path of every operation, with an id that nobody has in each place, and of other paths."""
    paths: dict[str, dict[str, Any]] = world.app.openapi()["paths"]
    found = [
        (method.upper(), re.sub(r"{\w+}", "none", path))
        for path, methods in paths.items()
        for method in methods
    ]
    return [*found, ("GET", "/openapi.json"), ("GET", "/nowhere"), ("GET", "/v1/nowhere")]


def check(response: httpx.Response, *, policy: str | None = STRICT) -> None:
    assert response.headers.get_list("cache-control") == [NO_STORE], response.url
    assert response.headers.get_list("x-content-type-options") == ["nosniff"], response.url
    assert response.headers.get_list("referrer-policy") == ["no-referrer"], response.url
    (found,) = response.headers.get_list("content-security-policy")
    assert "default-src 'none'" in found, response.url
    assert "frame-ancestors 'none'" in found, response.url
    assert policy is None or found == policy, response.url


async def test_every_operation_has_the_headers_with_a_token_and_without(idle: World):
    tried = operations(idle)
    assert len(tried) > 60
    statuses = set()
    for method, path in tried:
        for headers in ({}, {"Authorization": "Bearer nonsense"}):
            response = await idle.api.request(method, path, json={}, headers=headers)
            statuses.add(response.status_code)
            check(response, policy=None if path.startswith("/oauth/") else STRICT)
    assert {200, 401, 404} <= statuses


async def test_personal_data_and_streams_are_not_stored(idle: World):
    (run,) = await idle.runs()
    for path in (
        "contacts",
        "changes",
        f"runs/{run['id']}/report?format=csv",
        f"runs/{run['id']}/events",
    ):
        response = await idle.api.get(f"/v1/accounts/hp/{path}")
        assert response.status_code == 200
        check(response)


async def test_no_other_origin_may_read_a_response(idle: World):
    # ASVS V3.4.2: browsers let a page of another origin read only what has a header of CORS
    origins = {"Origin": "https://levitate.test", "Access-Control-Request-Method": "POST"}
    asked = [(path, method) for method, path in operations(idle)]
    asked += [(path, "OPTIONS") for path in {path for path, _ in asked}]
    asked += [("/static/pages.css", "GET"), ("/static/pages.css", "OPTIONS"), ("/docs", "GET")]
    for path, method in asked:
        for origin in (origins, {**origins, "Origin": "null"}):
            response = await idle.api.request(method, path, headers=origin)
            found = [name for name in response.headers if name.startswith("access-control-")]
            assert found == [], (method, path)
            assert method != "OPTIONS" or response.status_code in (404, 405), path


async def test_a_report_in_csv_is_a_download_with_the_name_of_its_run(idle: World):
    # ASVS V5.4.1
    (run,) = await idle.runs()
    path = f"/v1/accounts/hp/runs/{run['id']}/report"
    response = await idle.api.get(path, params={"format": "csv"})
    assert response.headers.get_list("content-disposition") == [
        f'attachment; filename="{run["id"]}.csv"'
    ]
    assert re.fullmatch(r"run_[0-9a-f]+", run["id"])
    assert "content-disposition" not in (await idle.api.get(path)).headers


HOSTILE_IDS = [
    "run_1%22;filename=evil.exe",
    "run_1%0D%0ASet-Cookie:%20x=1",
    "..%5C..%5Cevil",
    "%E2%80%AE.exe",
    "*",
]


@pytest.mark.parametrize("run_id", HOSTILE_IDS)
async def test_a_hostile_id_of_a_run_gets_into_no_file_name(idle: World, run_id: str):
    # ASVS V5.4.2, T11
    response = await idle.api.get(f"/v1/accounts/hp/runs/{run_id}/report?format=csv")
    assert (response.status_code, response.json()["code"]) == (404, "run_not_found")
    assert "content-disposition" not in response.headers
    assert "set-cookie" not in response.headers


async def test_errors_have_the_headers_too(idle: World, monkeypatch: pytest.MonkeyPatch):
    large = await idle.api.put("/v1/accounts/hp", content=b"x" * (4 * 1024 * 1024 + 1))
    assert large.status_code == 413
    check(large)

    async def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(accounts, "get_account", broken)
    transport = httpx.ASGITransport(idle.app, raise_app_exceptions=False)
    async with httpx.AsyncClient(
        transport=transport, base_url="http://service", headers=idle.api.headers
    ) as client:
        failed = await client.get("/v1/accounts/hp")
    assert failed.status_code == 500
    check(failed)


async def test_the_page_of_an_unknown_state_and_the_redirect_are_not_stored(idle: World):
    page = await idle.api.get("/oauth/clio/callback?state=unknown&code=x")
    assert page.status_code == 400
    check(page, policy=None)
    callback = await idle.approve(await idle.start("u_ben"), 502)
    redirect = await idle.api.get(callback)
    assert redirect.status_code == 303
    check(redirect, policy=None)


@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_browsers_are_told_to_use_https_only_behind_https(idle: World, scheme: str):
    config = config_for(idle.dsn, public_url=f"{scheme}://service.test")
    for build in (create_app, create_worker_app):
        made = build(config, address_of(idle.dsn))
        assert made.state.is_https == (scheme == "https")
    idle.app.state.is_https = scheme == "https"
    expected = [HSTS] if scheme == "https" else []
    for path in ("/v1/accounts/hp", "/v1/nowhere", "/healthz", "/docs", "/oauth/clio/callback"):
        response = await idle.api.get(path)
        assert response.headers.get_list("strict-transport-security") == expected, path


async def test_the_page_of_the_api_has_all_its_files_from_here(idle: World):
    # off, because the database is not the embedded one
    assert (await idle.api.get("/docs")).status_code == 404
    idle.app.state.serves_docs = True
    response = await idle.api.get("/docs")
    assert response.status_code == 200
    check(response, policy=None)
    policy = response.headers["content-security-policy"]
    assert "script-src 'self';" in policy
    assert "http" not in policy
    files = re.findall(r'(?:src|href)="(/[^"]+)"', response.text)
    assert len(files) == 4
    for path in files:
        assert (await idle.api.get(path)).status_code == 200, path
    assert "<script>" not in response.text
    assert not re.findall(r'(?:src|href)="https?:', response.text)
    assert (await idle.api.get("/redoc")).status_code == 404


@pytest.mark.parametrize(
    ("database", "chosen", "served"),
    [
        (None, None, True),
        (None, "off", False),
        ("postgresql://x/y", None, False),
        ("postgresql://x/y", "on", True),
    ],
)
def test_the_page_of_the_api_is_on_with_the_embedded_database_only(
    database: str | None, chosen: Any, served: bool
):
    config = Config(database_url=SecretStr(database) if database else None, docs=chosen)
    assert config.serves_docs is served
