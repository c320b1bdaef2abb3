"""The audit logs: what is recorded, from where it came, who reads it; who serves can change nothing [T14]."""

from dataclasses import replace
from typing import Any

import asyncpg
import httpx
import pytest
from sqlalchemy import text
from starlette.requests import Request

from app.api.acting_user import source_address
from app.cli.commands import server_config
from app.db.accounts import audit
from app.db.accounts.audit import Actor, AuditAction
from app.db.events import events
from app.db.events.events import EventKind
from app.db.failures import causes
from app.db.session import transaction
from app.errors import DatabaseUnavailable
from app.main import now
from tests.integration.api.test_authentication import ENDPOINT
from tests.support.sessions import as_owner
from tests.support.world import TOKEN, World, config_for

SERVICE_LOG = "/v1/audit"
ACTING = {"Levitate-User": "u_ann", "Levitate-Role": "account_admin"}
NOTE = {
    "kind": "note", "user_id": "u_ann", "clio_contact_id": "1001", "subject": "Canary", "body": "Canary",
    "occurred_at": "2026-03-02T12:00:00Z",
}  # fmt: skip


async def do(api: World, verb: str, path: str, request_id: str, body: Any = None) -> Any:
    """Send a request as a person, with this id."""
    headers = {**ACTING, "X-Request-Id": request_id, "Idempotency-Key": request_id}
    answer = await api.api.request(verb, path, json=body, headers=headers)
    assert answer.is_success, answer.text
    return answer.json() if answer.content else None


async def entries(api: World, log: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (await api.api.get(log)).json()["data"]
    return found


async def queue_activity(api: World) -> str:
    """Store an activity that waits, as if its contact were linked."""
    made = await do(api, "POST", "/v1/accounts/hp/activities", "r-note", NOTE)
    waits = text("update activities set status = 'blocked', reason = 'needs_connection'")
    async with as_owner(api.app.state.services.database) as session:
        await session.execute(waits)
    activity_id: str = made["id"]
    return activity_id


async def test_runs_and_activities_are_in_the_log_of_the_account_once(api: World):
    run = await do(api, "POST", "/v1/accounts/hp/runs", "r-run", {"kind": "full"})
    await do(api, "POST", "/v1/accounts/hp/runs", "r-run", {"kind": "full"})  # once more
    activity = await queue_activity(api)
    await do(api, "POST", f"/v1/accounts/hp/activities/{activity}/retry", "r-retry")
    for what, path in (("run", f"runs/{run['id']}"), ("note", f"activities/{activity}")):
        for again in ("", "-again"):
            await do(api, "POST", f"/v1/accounts/hp/{path}/cancel", f"r-cancel-{what}{again}")
    found = [
        one for one in await entries(api, "/v1/accounts/hp/audit") if one["request_id"][:2] == "r-"
    ]
    assert [(one["action"], one["subject"], one["request_id"]) for one in found] == [
        ("run.requested", run["id"], "r-run"),
        ("activity.created", activity, "r-note"),
        ("activity.retried", activity, "r-retry"),
        ("run.cancelled", run["id"], "r-cancel-run"),
        ("activity.cancelled", activity, "r-cancel-note"),
    ]
    for one in found:
        assert (one["token_id"], one["user_id"], one["role"]) == ("bootstrap", *ACTING.values())
        assert one["source_address"] == "127.0.0.1"
    assert "Canary" not in str(found)


async def test_what_is_of_no_account_is_in_the_log_of_the_service(api: World):
    made = await do(api, "POST", "/v1/webhook-endpoints", "r-make", ENDPOINT)
    path = f"/v1/webhook-endpoints/{made['id']}"
    await do(api, "POST", f"{path}/rotate", "r-rotate")
    await do(api, "POST", f"{path}/enable", "r-enable")
    async with transaction(api.app.state.services.database, "hp") as session:
        await events.emit(session, "hp", EventKind.RUN_FINISHED, "r", {"run_id": "r"}, now=now())
    (delivery,) = (await api.api.get(f"{path}/deliveries")).json()["data"]
    await do(api, "POST", f"/v1/deliveries/{delivery['id']}/redeliver", "r-again")
    await do(api, "DELETE", path, "r-delete")
    await do(api, "DELETE", "/v1/accounts/hp", "r-erase")
    found = await entries(api, SERVICE_LOG)
    assert [(one["action"], one["subject"], one["request_id"]) for one in found] == [
        ("endpoint.created", made["id"], "r-make"),
        ("endpoint.secret_rotated", made["id"], "r-rotate"),
        ("endpoint.enabled", made["id"], "r-enable"),
        ("delivery.repeated", delivery["id"], "r-again"),
        ("endpoint.deleted", made["id"], "r-delete"),
        ("account.erased", "hp", "r-erase"),
    ]
    for one in found:
        assert (one["token_id"], one["user_id"], one["role"]) == ("bootstrap", *ACTING.values())
        assert one["source_address"] == "127.0.0.1"
    assert made["secret"] not in str(found)


async def test_a_token_for_some_accounts_sees_of_it_what_was_done_with_itself(api: World):
    own, own_id = await api.create_token("hp")
    overall, _ = await api.create_token()
    for headers in (own, overall):
        answer = await api.api.post("/v1/webhook-endpoints", json=ENDPOINT, headers=headers)
        assert answer.status_code == 201
    mine = (await api.api.get(SERVICE_LOG, headers=own)).json()["data"]
    assert [one["token_id"] for one in mine] == [own_id]
    assert len((await api.api.get(SERVICE_LOG, headers=overall)).json()["data"]) == 2
    for role in ("user", "account_admin"):  # an administrator of one firm
        refused = await api.api.get(SERVICE_LOG, headers={**overall, "Levitate-Role": role})
        assert (refused.status_code, refused.json()["code"]) == (403, "role_required")


CHANGES = (
    "update audit set action = 'nothing'",
    "delete from audit",
    "truncate audit",
    "update service_audit set action = 'nothing'",
    "delete from service_audit",
    "select * from service_audit",
)


@pytest.mark.parametrize("statement", CHANGES)
async def test_the_role_that_serves_accounts_can_change_and_delete_no_entry(
    api: World, statement: str
):
    services = api.app.state.services
    actor, action = Actor("t"), AuditAction("something")
    async with transaction(services.database, "hp") as session:
        await audit.record(session, "hp", actor, action, now=now())
        await audit.record_of_service(session, actor, action, now=now())
    with pytest.raises(DatabaseUnavailable) as refused:
        async with transaction(services.database, "hp") as session:
            await session.execute(text(statement))
    kinds = {type(cause) for cause in causes(refused.value)}
    assert asyncpg.InsufficientPrivilegeError in kinds


async def test_the_role_that_serves_accounts_cannot_delete_entries_with_their_account(api: World):
    # a cascade would have the rights of the owner
    services = api.app.state.services
    async with transaction(services.database, "hp") as session:
        await audit.record(session, "hp", Actor("t"), AuditAction("something"), now=now())
    with pytest.raises(Exception, match="audit_accounts_fk"):
        async with transaction(services.database, "hp") as session:
            await session.execute(text("delete from accounts where account_id = 'hp'"))


@pytest.mark.parametrize(
    ("trusted", "peer", "recorded"),
    [
        ("", "10.1.2.3", "10.1.2.3"),
        ("10.0.0.0/8", "10.1.2.3", "203.0.113.9"),
        ("10.0.0.0/8", "192.0.2.1", "192.0.2.1"),
    ],
    ids=["no proxy is trusted", "a trusted proxy", "somebody else"],
)
async def test_only_a_trusted_proxy_may_say_from_where_a_request_comes(
    api: World, dsn: str, trusted: str, peer: str, recorded: str
):
    api.app.state.start = replace(
        api.app.state.start, config=config_for(dsn, trusted_proxies=trusted)
    )
    served = server_config(api.app)
    served.load()
    transport = httpx.ASGITransport(served.loaded_app, client=(peer, 1))
    claims = {"X-Forwarded-For": "198.51.100.7, 203.0.113.9", "Authorization": f"Bearer {TOKEN}"}
    async with httpx.AsyncClient(
        transport=transport, base_url="http://service.test", headers={**claims, **ACTING}
    ) as client:
        answer = await client.post("/v1/webhook-endpoints", json=ENDPOINT)
    assert answer.status_code == 201, answer.text
    assert (await entries(api, SERVICE_LOG))[-1]["source_address"] == recorded


def test_what_is_not_an_address_is_not_recorded():
    for client, address in (
        (("<script>", 1), None),
        (None, None),
        (("2001:db8::1", 1), "2001:db8::1"),
    ):
        assert source_address(Request({"type": "http", "client": client})) == address
