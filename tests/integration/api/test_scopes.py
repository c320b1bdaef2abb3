"""A service token does only what its scope allows, before anything else is looked at [T14]."""

import pytest
from sqlalchemy import text

from app.api.scopes import needed_for
from app.crypto import new_service_token
from app.db.accounts.service_tokens import Scope
from tests.integration.api.test_tenancy import BODIES, filled
from tests.support.sessions import as_owner
from tests.support.world import World

ACTING = {"Levitate-Role": "success_manager", "Idempotency-Key": "k", "If-Match": '"1"'}


def operations(world: World) -> list[tuple[str, str, str]]:
    """Return the verb, path and id of all operations that need a token, those that read first."""
    found = [
        (verb, path, operation["operationId"])
        for path, verbs in world.app.openapi()["paths"].items()
        if path.startswith("/v1/")
        for verb, operation in verbs.items()
    ]
    return sorted(found, key=lambda one: list(Scope).index(needed_for(one[2])))


@pytest.mark.parametrize("scope", Scope)
async def test_every_operation_that_needs_a_larger_scope_is_refused(api: World, scope: Scope):
    headers, _ = await api.create_token(scope=scope)
    refused: set[str] = set()
    allowed: set[str] = set()
    for verb, path, name in operations(api):
        for account_id in ("hp", "nowhere"):
            url = filled(path, {"account_id": account_id})
            body = BODIES.get(path)
            answer = await api.api.request(verb, url, json=body, headers={**headers, **ACTING})
            is_refused = answer.status_code == 403 and answer.json()["code"] == "scope_required"
            (refused if is_refused else allowed).add(name)
    own = {"start_connection"} if scope is Scope.WRITE else set()  # no user is named
    assert refused - own == {n for *_, n in operations(api) if not scope.includes(needed_for(n))}
    assert refused.isdisjoint(allowed - own)


async def test_the_scope_comes_before_the_role_and_before_the_account(api: World):
    headers, _ = await api.create_token("hp", scope=Scope.READ)
    without_role = {**headers, "Levitate-Role": "user"}
    for account_id in ("hp", "other"):
        url = f"/v1/accounts/{account_id}/users"
        answer = await api.api.put(url, json={"users": []}, headers=without_role)
        assert (answer.status_code, answer.json()["code"]) == (403, "scope_required")
        assert "scope admin; the scope of this one is read" in answer.json()["detail"]


async def test_a_token_that_writes_connects_and_disconnects_only_the_acting_user(api: World):
    headers, _ = await api.create_token("hp", scope=Scope.WRITE)
    url = "/v1/accounts/hp/connections"
    wanted = BODIES["/v1/accounts/{account_id}/connections"]  # of u_ann
    others = (headers, {**headers, "Levitate-User": "u_ben"})
    own = {**headers, "Levitate-User": "u_ann"}
    for acting in others:
        answer = await api.api.post(url, json=wanted, headers=acting)
        assert (answer.status_code, answer.json()["code"]) == (403, "scope_required")
    login = (await api.api.post(url, json=wanted, headers=own)).json()["id"]
    for acting in others:
        answer = await api.api.delete(f"{url}/{login}", headers=acting)
        assert (answer.status_code, answer.json()["code"]) == (403, "scope_required")
    assert (await api.api.delete(f"{url}/{login}", headers=own)).status_code == 204
    assert (await api.api.post(url, json=wanted)).status_code == 201, "an admin may for others"


async def test_a_token_that_the_release_before_has_made_may_do_everything(api: World):
    token, token_id, secret_hash = new_service_token()
    columns = "(token_id, name, secret_hash, account_ids, created_at)"
    made = text(f"insert into service_tokens {columns} values (:id, 'x', :hash, '{{hp}}', now())")
    async with as_owner(api.app.state.services.database) as session:
        await session.execute(made, {"id": token_id, "hash": secret_hash})
    headers = {"Authorization": f"Bearer {token}", **ACTING}
    await api.until_token(headers, works=True)
    url = "/v1/accounts/hp/users?confirm=replace"
    answer = await api.api.put(url, json={"users": []}, headers=headers)
    assert answer.status_code == 200
