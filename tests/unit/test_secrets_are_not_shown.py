"""No object of the running service shows a secret when it is printed; secret types print as asterisks [T6, T9]."""

from collections.abc import Iterator
from datetime import UTC, datetime
from types import ModuleType
from typing import Any

import pytest
from pydantic import SecretStr
from typing_extensions import override

from app.api.authentication import ApiAuth
from app.api.schemas import WebhookEndpointWithSecret
from app.clio.models import WebhookSubscription
from app.clio.oauth import Tokens
from app.clio.regions import ClioApp, Region
from app.config import Config
from app.crypto import TokenCipher, hash_secret, new_key
from app.db.accounts.service_tokens import ServiceToken, ValidTokens
from app.db.connection import Address
from app.main import Parts, create_app, open_services
from app.sync.request_checks import AddressKey, RequestChecks

NOW = datetime(2026, 3, 2, tzinfo=UTC)
STARS = "**********"
KEY, TOKEN = new_key(), "canary-of-a-bootstrap-token-0123456789"
URL = "postgresql://user:canary-of-the-{0}@127.0.0.1:1/db"
HASH = hash_secret(TOKEN)


def config() -> Config:
    return Config(
        database_url=SecretStr(URL.format("accounts")),
        database_pooler="transaction",
        direct_database_url=SecretStr(URL.format("direct")),
        system_database_url=SecretStr(URL.format("system")),
        migrate_database_url=SecretStr(URL.format("owner")),
        encryption_keys=SecretStr(KEY),
        service_token=SecretStr(TOKEN),
        regions={"us": {"client_id": "app", "client_secret": "canary-of-the-app"}},
    )


ADDRESS = Address(
    URL.format("accounts"),
    past_pooler=URL.format("direct"),
    system=URL.format("system"),
    owner=URL.format("owner"),
)
SECRET = ("canary", KEY, HASH)


def shown(value: object) -> str:
    return f"{value!r} {value!s} {value}"


def reachable(root: object, longest: int = 12) -> Iterator[object]:
    """Yield an object and everything that hangs on it: attributes, items, and what closures and partials hold."""
    seen: set[int] = set()
    level = [root]
    for _ in range(longest):
        following = []
        for one in level:
            if id(one) in seen or isinstance(one, ModuleType | type | str | bytes | int):
                continue
            seen.add(id(one))
            yield one
            following += list(held_by(one))
        level = following


def held_by(one: Any) -> Iterator[object]:
    yield from vars(one).values() if hasattr(one, "__dict__") else ()
    for name in getattr(type(one), "__slots__", ()):
        yield getattr(one, name, None)
    if isinstance(one, dict):
        yield from one.values()
    elif isinstance(one, list | tuple | set | frozenset):
        yield from one
    for cell in getattr(one, "__closure__", None) or ():
        yield cell.cell_contents
    for part in ("func", "args", "keywords"):  # of a partial
        yield getattr(one, part, None)


def is_ours(one: object) -> bool:
    return type(one).__module__.startswith("app.")


def assert_hidden(root: object) -> list[str]:
    """Check every object of ours that can be reached from one; return the names of their types."""
    checked = []
    for one in reachable(root):
        if is_ours(one) or one is root:
            assert not [secret for secret in SECRET if secret in shown(one)], type(one)
            checked.append(type(one).__name__)
    return checked


def test_the_configuration_shows_asterisks():
    assert {"Config", "RegisteredApp"} <= set(assert_hidden(config()))
    assert shown(config()).count(STARS) >= 7
    assert STARS in repr(config().service_token)


async def test_nothing_of_the_running_service_shows_a_secret():
    async with open_services(config(), ADDRESS, {}) as services:
        checks: RequestChecks = services.request_checks
        token = ServiceToken("id", "name", HASH, None, NOW, None)
        checks.hold_tokens(ValidTokens((token,), bootstrap_is_revoked=False))
        checks.hold_address_key(AddressKey(SecretStr("canary-of-the-address-key"), NOW))
        found = set(assert_hidden(services))
    assert {
        *(
            "Services",
            "Database",
            "Address",
            "TokenCipher",
            "OfferedRegion",
            "ClioApp",
            "ClioOAuth",
        ),
        *("RequestChecks", "ServiceToken", "AddressKey"),
    } <= found


async def test_nothing_that_an_application_starts_with_shows_a_secret():
    app = create_app(config(), ADDRESS, Parts())
    assert {"StartOptions", "Config", "ApiAuth"} <= set(assert_hidden(app.state))


@pytest.mark.parametrize(
    "secret",
    [
        Tokens(SecretStr("canary-access"), SecretStr("canary-refresh"), NOW),
        ClioApp(Region.US, "https://app.clio.com", "id", SecretStr("canary-of-the-app")),
        AddressKey(SecretStr("canary"), NOW),
        TokenCipher([KEY]),
        ApiAuth(HASH, 100, {}),
        ServiceToken("id", "name", HASH, None, NOW, None),
        ADDRESS,
        WebhookSubscription(id=1, url="https://x.test/canary", shared_secret="canary"),
        WebhookEndpointWithSecret.model_validate(
            {
                "id": "whe_1",
                "url": "https://x.test/",
                "events": ["*"],
                "description": "",
                "status": "enabled",
                "problem": None,
                "paused_until": None,
                "secret": "canary",
                "created_at": NOW,
                "updated_at": NOW,
            }
        ),
    ],
    ids=lambda one: type(one).__name__,
)
def test_a_type_that_holds_a_secret_shows_none(secret: object):
    assert_hidden(secret)
    if isinstance(secret, Tokens | ClioApp | AddressKey | TokenCipher):  # the others leave it out
        assert STARS in repr(secret)


def test_the_check_notices_an_object_that_shows_its_secret():
    class Careless:
        def __init__(self) -> None:
            self.inner = [lambda: self]
            self.secret = "canary"

        @override
        def __repr__(self) -> str:
            return f"Careless({self.secret})"

    Careless.__module__ = "app.careless"
    with pytest.raises(AssertionError):
        assert_hidden({"deep": [Careless()]}["deep"])
