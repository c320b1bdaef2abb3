"""Clio is spoken to only if its certificate is one that the machine trusts, and nothing is sent before [T1]."""

import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import httpx
import pytest
from pydantic import SecretStr

from app.clio.errors import ClioRetryLater
from app.clio.oauth import BearerAuth, ClioOAuth, Tokens
from app.clio.regions import ClioApp, Region
from app.clio.responses import http_client
from tests.support.certificates import Authority, new_authority
from tests.support.scripted_clio import NOW
from tests.support.webhook_receiver import Receiver, receiving

TOKENS = Tokens(SecretStr("access"), SecretStr("refresh"), NOW)


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    """An authority that nobody trusts."""
    return new_authority(tmp_path / "authority")


@pytest.fixture
async def impostor(authority: Authority) -> AsyncIterator[Receiver]:
    """A server with a certificate of this authority for its name."""
    pair = authority.sign("server", "localhost")
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(pair.certificate, pair.key)
    async with receiving(tls=tls) as receiver:
        yield receiver


def origin_of(receiver: Receiver) -> str:
    return f"https://localhost:{receiver.port}"


async def test_the_impostor_is_reached_by_a_client_that_trusts_its_authority(
    impostor: Receiver, authority: Authority
):
    trusting = ssl.create_default_context(cafile=str(authority.certificate))
    async with httpx.AsyncClient(verify=trusting, trust_env=False) as client:
        assert (await client.get(f"{origin_of(impostor)}/x")).status_code == 204
    assert len(impostor.received) == 1


async def test_a_data_request_to_an_impostor_sends_no_token(impostor: Receiver):
    # ASVS V12.3.2
    origin = origin_of(impostor)
    async with http_client() as client:
        with pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
            await client.get(f"{origin}/api/v4/contacts.json", auth=BearerAuth(origin, "access"))
    assert impostor.received == []


Act = Callable[[ClioOAuth], Awaitable[object]]


@pytest.mark.parametrize(
    "act",
    [
        lambda oauth: oauth.exchange(
            "code", redirect_uri="https://a.test/", code_verifier="v" * 43, now=NOW
        ),
        lambda oauth: oauth.refresh(TOKENS, now=NOW),
        lambda oauth: oauth.deauthorize(TOKENS),
    ],
    ids=["exchange", "refresh", "deauthorize"],
)
async def test_an_impostor_gets_no_code_no_token_and_no_client_secret(impostor: Receiver, act: Act):
    # ASVS V12.3.2
    app = ClioApp(Region.US, origin_of(impostor), "our-id", SecretStr("our-secret"))
    with pytest.raises(ClioRetryLater) as refused:
        await act(ClioOAuth(app))
    assert "CERTIFICATE_VERIFY_FAILED" in str(refused.value.__cause__)
    assert impostor.received == []
