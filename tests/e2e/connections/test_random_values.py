"""Each secret that the service gives away has the random bits that its generator made, all of them [T3, T8, T14]."""

import base64
from urllib.parse import urlsplit

import pytest

from app.crypto import new_service_token
from app.sync import checked_tokens
from app.sync.checked_tokens import Purpose
from app.sync.connections.oauth_attempt import get_attempt, open_verifier
from tests.support.world import World


def bits(text: str) -> int:
    """Return how many bits a text in URL-safe base64 stands for."""
    return 8 * len(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))


def last_part(address: str) -> str:
    return urlsplit(address).path.rpartition("/")[2]


@pytest.fixture
async def account(world: World) -> World:
    await world.create_account()
    return world


async def test_the_state_the_cookie_and_the_verifier_of_an_attempt_are_random(account: World):
    # ASVS V11.5.1
    services = account.app.state.services
    found = []
    for _ in range(2):
        address = await account.start("u_ann")
        state = last_part(address)
        answer = await account.api.get(address)
        cookie = answer.headers["set-cookie"].partition("=")[2].partition(";")[0]
        verifier = open_verifier(services.cipher, await get_attempt(services, state))
        found.append((state.partition(".")[0], cookie.strip('"').partition(".")[0], verifier))
    for first, second, wanted in zip(*found, (256, 128, 384), strict=True):
        assert first != second
        assert bits(first) == bits(second) == wanted


async def test_a_connect_link_and_an_address_for_webhooks_are_random(account: World):
    # ASVS V11.5.1
    body = {"user_id": "u_ann", "region": "us", "return_url": "https://levitate.test/done"}
    path = "/v1/accounts/hp/connect-links"
    links = [(await account.api.post(path, json=body)).json()["url"] for _ in range(2)]
    services = account.app.state.services
    hooks = [checked_tokens.new_token(services, Purpose.HOOK) for _ in range(2)]
    tokens = [token.partition(".")[0] for token in (*map(last_part, links), *hooks)]
    assert [bits(token) for token in tokens] == [256] * 4
    assert len(set(tokens)) == 4


async def test_the_secret_of_a_webhook_endpoint_is_random_and_new_after_a_rotation(account: World):
    # ASVS V11.5.1
    made = (await account.api.post("/v1/webhook-endpoints", json={"url": "https://a.test/"})).json()
    rotated = await account.api.post(f"/v1/webhook-endpoints/{made['id']}/rotate")
    found = [made["secret"], rotated.json()["secret"]]
    assert [len(base64.b64decode(secret.removeprefix("whsec_"))) * 8 for secret in found] == [
        256
    ] * 2
    assert len(set(found)) == 2


def test_the_secret_of_a_service_token_is_random():
    # ASVS V11.5.1
    found = [new_service_token()[0].split("_", 2)[2] for _ in range(2)]
    assert [bits(secret) for secret in found] == [256] * 2
    assert len(set(found)) == 2
