"""OAuth with Clio: the authorization URL, code exchange, token refresh, deauthorization, and the bearer header.

authlib is used for the token endpoint only. It reads whole responses, so its transport bounds them. Credentials go into
the form, because Clio refuses them in a header. Only OAuth's error form (`{"error": "…"}`) decides anything here;
another answer, such as the page of a proxy, means that the request may work later.
"""

import asyncio
import warnings
from collections.abc import Generator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol, TypeGuard

import httpx
from pydantic import SecretStr
from typing_extensions import override

from app.clio import ceilings
from app.clio.errors import (
    ClioError,
    ClioMisconfigured,
    ClioReauthRequired,
    ClioRetryLater,
    ClioUnreadable,
    network_error,
)
from app.clio.regions import ClioApp
from app.clio.responses import (
    DEADLINE,
    REQUEST_HEADERS,
    BoundedTransport,
    ClioResponse,
    error_in,
    error_of,
    http_client,
    read_bounded,
)

with warnings.catch_warnings(
    record=True
):  # authlib announces httpx2, which must not be installed (authlib would use it, respx would not see it)
    from authlib.integrations.base_client import OAuthError
    from authlib.integrations.httpx_client import AsyncOAuth2Client


@dataclass(frozen=True)
class Tokens:
    """An access token, its refresh token, and the time at which the access token expires."""

    access_token: SecretStr
    refresh_token: SecretStr
    expires_at: datetime


class ClioOAuth:
    """The OAuth client for the app that is registered in one region of Clio."""

    def __init__(self, app: ClioApp, *, transport: httpx.AsyncBaseTransport | None = None) -> None:
        self._app = app
        self._transport = transport

    def authorize_url(self, *, redirect_uri: str, state: str, code_verifier: str) -> str:
        """Return the URL at which the user approves. A user who declines is redirected back too."""
        client = AsyncOAuth2Client(
            self._app.client_id,
            redirect_uri=redirect_uri,
            code_challenge_method="S256",
            trust_env=False,
        )
        url, _ = client.create_authorization_url(
            f"{self._app.origin}/oauth/authorize",
            state=state,
            code_verifier=code_verifier,
            redirect_on_decline="true",
        )
        return str(url)

    async def exchange(
        self, code: str, *, redirect_uri: str, code_verifier: str, now: datetime
    ) -> Tokens:
        """Return the tokens for an authorization code. A code works once."""
        answer = await self._ask(
            grant_type="authorization_code",
            code=code,
            redirect_uri=redirect_uri,
            code_verifier=code_verifier,
        )
        return _tokens(answer, refresh_token=None, now=now)

    async def refresh(self, tokens: Tokens, *, now: datetime) -> Tokens:
        """Return new tokens. Clio usually sends no new refresh token; then the old one is kept."""
        answer = await self._ask(
            grant_type="refresh_token", refresh_token=tokens.refresh_token.get_secret_value()
        )
        return _tokens(answer, refresh_token=tokens.refresh_token.get_secret_value(), now=now)

    async def deauthorize(self, tokens: Tokens) -> None:
        """Revoke the access token and the refresh token. Raises ClioReauthRequired for an access token that has ended.

        The refresh token may still work then.
        """
        access_token = tokens.access_token.get_secret_value()
        bearer = {"Authorization": f"Bearer {access_token}"}
        form = {"token": access_token}
        url = f"{self._app.origin}/oauth/deauthorize"
        async with http_client(self._transport) as client:
            try:
                async with (
                    asyncio.timeout(DEADLINE),
                    client.stream("POST", url, data=form, headers=bearer) as answer,
                ):
                    body = await read_bounded(answer)
            except (httpx.HTTPError, TimeoutError) as error:
                raise network_error(error) from error
        if answer.status_code != 200:
            raise _not_revoked(ClioResponse(answer.status_code, answer.headers, body))
        if body:  # Clio's own answer is empty; this is the page of a proxy
            raise ClioUnreadable("Clio's answer to the end of access did not come from Clio")

    def _client(self) -> AsyncOAuth2Client:
        return AsyncOAuth2Client(
            self._app.client_id,
            self._app.client_secret.get_secret_value(),
            token_endpoint_auth_method="client_secret_post",  # noqa: S106  # the name of a method, not a secret
            transport=BoundedTransport(
                self._transport or httpx.AsyncHTTPTransport(trust_env=False)
            ),
            headers=REQUEST_HEADERS,
            trust_env=False,
            follow_redirects=False,
            timeout=DEADLINE,
            event_hooks={"response": [_raise_if_unavailable]},
        )

    async def _ask(self, **form: str) -> Mapping[str, Any]:
        """Send one request to the token endpoint and return its JSON object."""
        url = f"{self._app.origin}/oauth/token"
        async with self._client() as client:
            try:
                async with asyncio.timeout(DEADLINE):
                    if "code" in form:
                        answer = await client.fetch_token(url, **form)
                    else:
                        answer = await client.refresh_token(url, form["refresh_token"])
            except OAuthError as error:
                raise self._refusal(error.error) from error
            except httpx.HTTPStatusError as error:
                raise ClioUnreadable("Clio's token endpoint did not return tokens") from error
            except (httpx.HTTPError, TimeoutError) as error:
                raise network_error(error) from error
            except (ValueError, TypeError, AttributeError, RecursionError) as error:
                # authlib assumes that the response is a JSON object
                raise ClioUnreadable("Clio's token endpoint did not return tokens") from error
        if not isinstance(answer, dict):
            raise ClioUnreadable("Clio's token endpoint did not return tokens")
        return answer

    def _refusal(self, error: str) -> ClioError:
        region = self._app.region
        if error == "invalid_client":
            return ClioMisconfigured(
                f"Clio does not know this app in region {region}. Check the client id and secret for region"
                f" {region}, and that the user's firm is in that region"
            )
        if error == "invalid_grant":
            return ClioReauthRequired(
                "Clio no longer accepts this authorization. The user must connect to Clio again"
            )
        return ClioUnreadable("Clio's token endpoint returned an unknown error")


async def _raise_if_unavailable(response: httpx.Response) -> None:
    """Raise ClioRetryLater for 429 and 5xx, whatever the body says: such a refusal is never final."""
    if response.status_code == 429 or response.status_code >= 500:
        raise ClioRetryLater(f"Clio returned HTTP status {response.status_code}")


def _not_revoked(response: ClioResponse) -> ClioError:
    if response.status == 401 and isinstance(error_in(response.body), str):
        return ClioReauthRequired("Clio no longer accepts the access token")
    return error_of(response)


def _tokens(answer: Mapping[str, Any], *, refresh_token: str | None, now: datetime) -> Tokens:
    try:
        access = answer["access_token"]
        refresh = answer.get("refresh_token") or refresh_token
        expires_at = now + timedelta(seconds=int(answer["expires_in"]))
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise ClioUnreadable("Clio's token endpoint returned no token, or no lifetime") from error
    if not _is_token(access) or not _is_token(refresh) or expires_at <= now:
        raise ClioUnreadable("Clio's token endpoint returned a token that cannot be used")
    return Tokens(SecretStr(access), SecretStr(refresh), expires_at.astimezone(UTC))


def _is_token(value: Any) -> TypeGuard[str]:
    """Return whether the value can be sent in a header. Another token would make every later request fail."""
    usable = isinstance(value, str) and value.isascii() and value.isprintable()
    return usable and 0 < len(value) <= ceilings.TOKEN


class TokenSource(Protocol):
    """The source of access tokens for data requests."""

    async def token(self) -> str:
        """Return a token that should work now."""
        ...

    async def renew(self, refused: str) -> str:
        """Return a new token in place of the one that Clio has just refused."""
        ...


class BearerAuth(httpx.Auth):
    """Sends the token to one origin only, so that it cannot leak to another host [T1]."""

    def __init__(self, origin: str, token: str) -> None:
        self._origin = httpx.URL(origin)
        self._token = token

    @override
    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response]:
        allowed = (self._origin.scheme, self._origin.raw_host, self._origin.port)
        if (request.url.scheme, request.url.raw_host, request.url.port) != allowed:
            raise ClioMisconfigured("A request to another host than Clio was stopped")
        request.headers["Authorization"] = f"Bearer {self._token}"
        yield request
