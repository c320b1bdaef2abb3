"""OAuth as in Clio Manage, for one region: approve or decline, codes, tokens, deauthorisation.

A person clicks on a page. A script adds `as_user=<id of a Clio user>` or `as_user=decline` to the address.
"""

import base64
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256
from urllib.parse import urlencode

from app.simulator.store.firm import Firm

CODE_LIFE = timedelta(minutes=10)
SERVICE_WRITES = frozenset({"notes", "communications", "webhooks"})
ALL_WRITES = SERVICE_WRITES | {"contacts", "matters"}


class OAuthRefusal(Exception):
    """A refused OAuth request: OAuth's error code, a description and the HTTP status."""

    def __init__(self, error: str, description: str, *, status: int = 400) -> None:
        super().__init__(description)
        self.error = error
        self.status = status


@dataclass(frozen=True)
class App:
    """An app registered in one region, and the lists that it may write to. It may read all lists."""

    client_id: str
    secret: str = field(repr=False)
    writes: frozenset[str]


@dataclass
class Code:
    """An authorization code: valid once, for ten minutes."""

    app: App
    firm: Firm
    user_id: int
    redirect_uri: str
    challenge: str | None
    expires_at: datetime


@dataclass
class Grant:
    """The access that a user granted: a refresh token, which never changes, and the current access token."""

    app: App
    firm: Firm
    user_id: int
    refresh_token: str
    access_token: str
    expires_at: datetime


def credentials(region: str) -> tuple[str, str]:
    """Return the client id and secret of the service's app in a region. They are not valid in another region."""
    return f"levitate-{region}", f"simulated-secret-of-{region}"


def third_party_credentials(region: str) -> tuple[str, str]:
    """Return the client id and secret of another vendor's app, which may also write contacts and matters."""
    return f"third-party-{region}", f"simulated-third-secret-of-{region}"


class OAuth:
    """The authorisations of one region."""

    def __init__(
        self,
        region: str,
        firms: Sequence[Firm],
        *,
        redirect_uris: Sequence[str],
        token_life: timedelta,
        now: Callable[[], datetime],
    ) -> None:
        self.firms = [firm for firm in firms if firm.region == region]
        self._region = region
        self._client_id, self._secret = credentials(region)
        self.redirect_uris = redirect_uris
        self._token_life = token_life
        self._now = now
        self._codes: dict[str, Code] = {}
        self._grants: dict[str, Grant] = {}  # by refresh token
        self._by_access: dict[str, Grant] = {}

    @property
    def service(self) -> App:
        """The app of the service."""
        return App(self._client_id, self._secret, SERVICE_WRITES)

    def _app(self, client_id: str | None) -> App | None:
        third_party = App(*third_party_credentials(self._region), ALL_WRITES)
        return {app.client_id: app for app in (self.service, third_party)}.get(client_id or "")

    # --- authorize ---------------------------------------------------------------------------

    def check_authorize(self, params: Mapping[str, str]) -> App:
        """Return the app that asks. Raises OAuthRefusal if the request must not be answered by a redirect."""
        app = self._app(params.get("client_id"))
        if app is None:
            raise OAuthRefusal("invalid_client", "Unknown client", status=401)
        if params.get("redirect_uri") not in self.redirect_uris:
            raise OAuthRefusal("invalid_request", "redirect_uri is not registered")
        if params.get("response_type") != "code":
            raise OAuthRefusal("unsupported_response_type", "response_type must be code")
        return app

    def decide(self, app: App, params: Mapping[str, str], decisions: Sequence[str]) -> str | None:
        """Return the address for the redirect after a decision; None if the user declined and stays on Clio."""
        state = {"state": params["state"]} if "state" in params else {}
        if "decline" in decisions:
            if params.get("redirect_on_decline") != "true":
                return None
            return _redirect_to(params["redirect_uri"], {"error": "access_denied", **state})
        firm, user_id = self._user(decisions[-1])
        code = secrets.token_urlsafe(24)
        self._codes[code] = Code(
            app=app,
            firm=firm,
            user_id=user_id,
            redirect_uri=params["redirect_uri"],
            challenge=params.get("code_challenge"),
            expires_at=self._now() + CODE_LIFE,
        )
        return _redirect_to(params["redirect_uri"], {"code": code, **state})

    def _user(self, text: str) -> tuple[Firm, int]:
        for firm in self.firms:
            user = firm.find("user", int(text)) if text.isdecimal() else None
            if user is not None and user.get("enabled", True):
                return firm, int(text)
        raise OAuthRefusal("access_denied", "No such user in this region")

    # --- token -------------------------------------------------------------------------------

    def token(self, form: Mapping[str, str], *, has_header: bool) -> dict[str, object]:
        """Return the body of the token endpoint's response. As in Clio, credentials in a header are refused."""
        app = self._app(form.get("client_id"))
        if has_header or app is None or form.get("client_secret") != app.secret:
            raise OAuthRefusal("invalid_client", "Client authentication failed", status=401)
        if form.get("grant_type") == "authorization_code":
            return self._exchange(app, form)
        if form.get("grant_type") == "refresh_token":
            return self._refresh(app, form)
        raise OAuthRefusal("unsupported_grant_type", "grant_type is not supported")

    def _exchange(self, app: App, form: Mapping[str, str]) -> dict[str, object]:
        code = self._codes.pop(form.get("code", ""), None)
        if (
            code is None
            or code.app.client_id != app.client_id
            or code.expires_at < self._now()
            or code.redirect_uri != form.get("redirect_uri")
        ):
            raise OAuthRefusal("invalid_grant", "The code is invalid, expired or used")
        if (
            code.challenge is not None
            and _challenge(form.get("code_verifier", "")) != code.challenge
        ):
            raise OAuthRefusal("invalid_grant", "The code_verifier does not match")
        grant = Grant(app, code.firm, code.user_id, secrets.token_urlsafe(24), "", self._now())
        self._grants[grant.refresh_token] = grant
        return {**self._issue(grant), "refresh_token": grant.refresh_token}

    def _refresh(self, app: App, form: Mapping[str, str]) -> dict[str, object]:
        grant = self._grants.get(form.get("refresh_token", ""))
        if grant is None or grant.app.client_id != app.client_id:
            raise OAuthRefusal("invalid_grant", "The refresh token is invalid or revoked")
        return self._issue(grant)

    def _issue(self, grant: Grant) -> dict[str, object]:
        self._by_access.pop(grant.access_token, None)
        grant.access_token = secrets.token_urlsafe(24)
        grant.expires_at = self._now() + self._token_life
        self._by_access[grant.access_token] = grant
        seconds = int(self._token_life.total_seconds())
        return {"token_type": "bearer", "access_token": grant.access_token, "expires_in": seconds}

    # --- use and end -------------------------------------------------------------------------

    def grant_of(self, access_token: str) -> Grant | None:
        """Return the grant of an access token; None if the token is unknown, expired or revoked."""
        grant = self._by_access.get(access_token)
        return grant if grant is not None and grant.expires_at > self._now() else None

    def logins(self, firm: Firm) -> list[int]:
        """Return the users of a firm who have granted the service access, in the order in which they connected."""
        grants = (g for g in self._grants.values() if g.firm is firm and g.app == self.service)
        return list(dict.fromkeys(grant.user_id for grant in grants))

    def deauthorize(self, access_token: str) -> bool:
        """Revoke an access token and its refresh token. Return whether the token was valid."""
        grant = self._by_access.pop(access_token, None)
        if grant is not None:
            self._grants.pop(grant.refresh_token, None)
        return grant is not None

    def revoke_user(self, user_id: int) -> None:
        """Revoke all tokens of a user, as when the user disconnects the app inside Clio."""
        for grant in [grant for grant in self._grants.values() if grant.user_id == user_id]:
            self._by_access.pop(grant.access_token, None)
            self._grants.pop(grant.refresh_token, None)

    def expire_access_tokens(self) -> None:
        """Let all access tokens expire now. Refresh tokens stay valid."""
        for grant in self._grants.values():
            grant.expires_at = self._now()


def _redirect_to(redirect_uri: str, params: Mapping[str, str]) -> str:
    return f"{redirect_uri}{'&' if '?' in redirect_uri else '?'}{urlencode(params)}"


def _challenge(verifier: str) -> str:
    """Return the S256 challenge of a PKCE verifier (RFC 7636)."""
    return base64.urlsafe_b64encode(sha256(verifier.encode()).digest()).decode().rstrip("=")
