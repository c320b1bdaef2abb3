"""Clio's webhooks: a change reaches the feed within a minute, and only Clio can cause a run."""

import asyncio
import hashlib
import hmac
import json
import secrets
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from app import main
from app.clio import webhooks
from app.clio.webhooks import is_signed
from app.crypto import TokenCipher, new_key
from app.db.connection import Address
from app.db.connections.tables import address_key, subscriptions
from app.db.session import open_database
from app.lanes import SUBSCRIPTIONS, Lane, housekeeping_key
from app.main import Parts, create_app
from app.sync import checked_tokens, key_rotation
from app.sync.checked_tokens import Purpose
from app.sync.connections import clio_for, clio_webhooks
from app.sync.lost_work import queue_due_work
from app.sync.request_check_refresh import load_request_checks
from app.sync.request_checks import LOOKUPS_PER_SECOND, RequestChecks
from app.sync.services import Services
from tests.e2e.connections.test_lanes import RecordedLanes
from tests.support import world as world_module
from tests.support.postgres import address_of
from tests.support.raw_requests import RawRequest
from tests.support.sessions import as_owner, listen, unlisten
from tests.support.slices import do_slice
from tests.support.world import KEY, World, config_for


class WebhookService:
    """The service at an https address to which the simulated Clio can post."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.hooks = world.simulator.webhooks
        self.hooks.transport = httpx.ASGITransport(world.app)
        self.skipped = timedelta(0)
        found: Services = world.app.state.services
        self.services = replace(found, now=self.now)
        world.app.state.services = self.services
        world.simulator.webhooks._now = self.now

    def now(self) -> datetime:
        return main.now() + self.skipped

    @property
    def firm(self):
        return self.world.simulator.firms[0]

    async def webhook_runs(self) -> list[dict[str, Any]]:
        """Wait until the runs that webhooks requested have ended, and return them."""
        return [run for run in await self.world.settled() if run["trigger"] == "webhook"]

    async def post(self, url: str, body: bytes, **headers: Any) -> httpx.Response:
        transport = httpx.ASGITransport(self.world.app)
        async with httpx.AsyncClient(transport=transport) as client:
            return await client.post(url, content=body, headers=headers)

    async def start_delayed_run(self) -> None:
        """Start the delayed run now."""
        await self.world.resume()

    async def rows(self) -> list[Any]:
        async with as_owner(self.services.database) as session:
            return list(await session.execute(subscriptions.select()))

    async def count_due(self) -> int:
        return sum(row.due_at <= self.now() for row in await self.rows())

    async def count_jobs(self) -> int:
        """Let the clock look once; return how many jobs wait."""
        await queue_due_work(self.services)
        async with as_owner(self.services.database) as session:
            return int((await session.execute(text("select count(*) from pgqueuer"))).scalar_one())


REAL_DELAY = clio_webhooks.RUN_DELAY


async def renewed(service: WebhookService, services: Services | None = None) -> int:
    """Do slices until no subscription is due, and wait for those of the worker; return how many were due."""
    count = await service.count_due()
    while await service.count_due():
        key = housekeeping_key(SUBSCRIPTIONS, "hp")
        await do_slice(services or service.services, Lane.HOUSEKEEPING, key)
    await service.world.housekept()
    return count


@pytest.fixture
def https(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give the service an address to which Clio can post."""
    reached = partial(config_for, public_url="https://service.test")
    monkeypatch.setattr(world_module, "config_for", reached)


@pytest.fixture
async def service(https: None, pulled: World, monkeypatch: pytest.MonkeyPatch) -> WebhookService:
    """The service after a first run; the run of a notification starts after 50 ms.

    The subscriptions are due: when the user connected, Clio could not reach the service.
    """
    monkeypatch.setattr(clio_webhooks, "RUN_DELAY", timedelta(milliseconds=50))
    made = WebhookService(pulled)
    async with as_owner(made.services.database) as session:
        await session.execute(subscriptions.update().values(due_at=main.now()))
    return made


@pytest.fixture
async def subscribed(service: WebhookService) -> WebhookService:
    assert await renewed(service) == 2
    return service


@pytest.fixture
def delayed_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """Delay the run of a notification until the test starts it, even if posting takes long."""
    monkeypatch.setattr(clio_webhooks, "RUN_DELAY", timedelta(hours=1))


def signed(body: bytes, secret: str) -> str:
    return hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


async def test_a_connection_subscribes_to_contacts_and_matters_each_at_its_own_address(
    subscribed: WebhookService,
):
    hooks = list(subscribed.hooks.hooks.values())
    assert sorted(hook.model for hook in hooks) == ["contact", "matter"]
    assert {hook.status for hook in hooks} == {"enabled"}
    assert len({hook.url for hook in hooks}) == 2
    assert all(hook.url.startswith("https://service.test/hooks/clio/") for hook in hooks)
    rows = await subscribed.rows()
    assert not [row for row in rows if row.pending]
    stored = str(rows)  # T6, T8: neither the address nor the secret can be read from the database
    for hook in hooks:
        assert hook.url.rsplit("/", 1)[1] not in stored
        assert hook.secret not in stored
    assert await renewed(subscribed) == 0


async def test_a_change_in_clio_reaches_the_feed_within_a_minute(
    subscribed: WebhookService, monkeypatch: pytest.MonkeyPatch
):
    # API-15: after the real delay
    monkeypatch.setattr(clio_webhooks, "RUN_DELAY", REAL_DELAY)
    subscribed.firm.put("contact", {"id": 1001, "title": "Judge"})
    async with asyncio.timeout(60):
        assert await subscribed.hooks.deliver() == 1
        while (await subscribed.world.contacts())["1001"]["title"] != "Judge":
            await asyncio.sleep(0.1)
    (run,) = await subscribed.webhook_runs()
    assert (run["kind"], run["reads"], run["status"]) == ("incremental", "records", "succeeded")


async def test_a_burst_of_notifications_leads_to_one_run(
    subscribed: WebhookService, delayed_run: None
):
    # API-15
    for n in range(20):
        subscribed.firm.put("contact", {"id": 1001, "title": f"Title {n}"})
    subscribed.firm.put("matter", {"id": 201, "status": "Closed"})
    assert await subscribed.hooks.deliver() == 21
    await subscribed.start_delayed_run()
    (run,) = await subscribed.webhook_runs()
    assert (run["kind"], run["reads"], run["status"]) == ("incremental", "records", "succeeded")
    assert (await subscribed.world.contacts())["1001"]["title"] == "Title 19"


async def test_the_next_run_replaces_lost_notifications_and_copies_in_any_order_change_nothing(
    subscribed: WebhookService, delayed_run: None
):
    # F25
    subscribed.hooks.switches.loses = True
    subscribed.firm.put("contact", {"id": 1001, "title": "Lost"})
    assert await subscribed.hooks.deliver() == 0
    await subscribed.world.run()
    assert (await subscribed.world.contacts())["1001"]["title"] == "Lost"
    subscribed.hooks.switches.loses = False
    subscribed.hooks.switches.copies, subscribed.hooks.switches.reorders = 5, True
    for title in ("One", "Two"):
        subscribed.firm.put("contact", {"id": 1001, "title": title})
    assert await subscribed.hooks.deliver() == 10
    await subscribed.start_delayed_run()
    assert len(await subscribed.webhook_runs()) == 1
    assert (await subscribed.world.contacts())["1001"]["title"] == "Two"


@pytest.mark.parametrize(
    "forge",
    [
        lambda right: None,
        lambda right: "",
        lambda right: right[:-1],
        lambda right: right.upper(),
        lambda right: "0" * 64,
        lambda right: f"sha256={right}",
        lambda right: "é",
        lambda right: right * 8,
    ],
    ids=["none", "empty", "cut", "upper case", "zeros", "prefixed", "not ascii", "long"],
)
async def test_a_request_that_clio_did_not_sign_does_nothing(subscribed: WebhookService, forge):
    # T8
    hook = next(iter(subscribed.hooks.hooks.values()))
    body = json.dumps({"data": {"id": 1001}, "meta": {"event": "updated"}}).encode()
    signature = forge(signed(body, hook.secret))
    headers = {} if signature is None else {"X-Hook-Signature": signature.encode()}
    answer = await subscribed.post(hook.url, body, **headers)
    assert (answer.status_code, answer.json()["code"]) == (401, "signature_invalid")
    assert await subscribed.webhook_runs() == []


async def test_a_signature_of_another_subscription_or_of_other_bytes_does_nothing(
    subscribed: WebhookService,
):
    # T8
    one, other = subscribed.hooks.hooks.values()
    body = b'{"data": {"id": 1001}, "meta": {}}'
    for signature in (signed(body, other.secret), signed(body.replace(b" ", b""), one.secret)):
        answer = await subscribed.post(one.url, body, **{"X-Hook-Signature": signature})
        assert answer.status_code == 401
    assert await subscribed.webhook_runs() == []


@pytest.mark.parametrize("token", ["x" * 43, "x" * 4000, "%00", "%ff", "x"])
async def test_an_unknown_address_is_not_found_and_never_gone(service: WebhookService, token: str):
    url = "https://service.test/hooks/clio/" + token
    answer = await service.post(url, b"{}", **{"X-Hook-Secret": "mine"})
    assert (answer.status_code, answer.json()["code"]) == (404, "hook_unknown")


async def test_a_body_longer_than_any_body_of_clio_is_not_read_completely(
    subscribed: WebhookService,
):
    # T12
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        while sent < 3 * 1024 * 1024:
            sent += 1024
            yield b"x" * 1024

    hook = next(iter(subscribed.hooks.hooks.values()))
    transport = httpx.ASGITransport(subscribed.world.app)
    async with httpx.AsyncClient(transport=transport) as client:
        answer = await client.post(hook.url, content=endless())
    assert answer.status_code == 401
    assert sent < 128 * 1024


OLD_FORM = "x" * 43  # of an address that the release before made


async def knock(service: WebhookService, token: str) -> RawRequest:
    """Post to an address a body that never arrives."""
    return await RawRequest("POST", f"/hooks/clio/{token}").send(service.world.app)


def take_database_away(service: WebhookService) -> None:
    away = open_database(Address("postgresql://nobody@127.0.0.1:1/none"))
    service.world.app.state.services = replace(service.services, database=away)


async def test_an_invented_address_costs_no_look_up_and_its_body_is_not_read(
    subscribed: WebhookService,
):
    # T12
    known = next(iter(subscribed.hooks.hooks.values())).url.rpartition("/")[2]
    of_a_state = checked_tokens.new_token(subscribed.services, Purpose.STATE)
    subscribed.skipped = checked_tokens.UNCHECKED_TOKENS_LAST + timedelta(minutes=1)
    take_database_away(subscribed)
    for token in (known[:-1], known[1:], f"{known}x", f"{known}.x", of_a_state, "x", OLD_FORM, "é"):
        answer = await knock(subscribed, token)
        assert (answer.status, answer.json()["code"], answer.reads) == (404, "hook_unknown", 0), (
            token
        )
    assert (await knock(subscribed, known)).status == 503


async def subscribe_in_old_form(service: WebhookService) -> None:
    """Create the subscriptions as the release before did, at addresses without a keyed check."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(clio_webhooks, "new_token", lambda *_: secrets.token_urlsafe(32))
        assert await renewed(service) == 2
    async with as_owner(service.services.database) as session:
        await session.execute(subscriptions.update().values(keyed_token_hash=None))


@pytest.fixture
async def old_form(service: WebhookService) -> WebhookService:
    """The service with the subscriptions of the release before."""
    await subscribe_in_old_form(service)
    return service


async def test_addresses_of_the_release_before_work_until_they_are_due_and_are_then_replaced(
    old_form: WebhookService,
):
    hook = next(iter(old_form.hooks.hooks.values()))
    body = b'{"data": {"id": 1}, "meta": {}}'
    right = {"X-Hook-Signature": signed(body, hook.secret)}
    assert (await old_form.post(hook.url, body, **right)).status_code == 200
    unknown = await knock(old_form, OLD_FORM)
    assert (unknown.status, unknown.reads) == (404, 0)
    old_form.skipped = webhooks.LIFETIME / 2 + timedelta(minutes=1)
    assert await renewed(old_form) == 2
    assert all("." in hook.url.rpartition("/")[2] for hook in old_form.hooks.hooks.values())
    assert len(old_form.hooks.hooks) == 2


async def test_above_the_limit_of_look_ups_an_address_is_neither_unknown_nor_gone(
    old_form: WebhookService,
):
    checks, later = old_form.services.request_checks, asyncio.get_running_loop().time() + 100
    assert all(checks.lookups[Purpose.HOOK].take(later) for _ in range(LOOKUPS_PER_SECOND))
    known = next(iter(old_form.hooks.hooks.values())).url.rpartition("/")[2]
    for token in (known, OLD_FORM):
        answer = await knock(old_form, token)
        assert (answer.status, answer.json()["code"], answer.reads) == (503, "too_many_lookups", 0)
        assert answer.answer_headers["retry-after"] == "60"
    checked = checked_tokens.new_token(old_form.services, Purpose.HOOK)
    assert (await knock(old_form, checked)).status == 404


@pytest.mark.parametrize("old", [False, True])
async def test_an_address_made_before_a_rotation_works_with_the_new_key_alone(
    service: WebhookService, old: bool
):
    # F29
    if old:
        await subscribe_in_old_form(service)
    else:
        await renewed(service)
    newest = new_key()
    await key_rotation.rotate_keys(
        service.services.database, TokenCipher([newest, KEY]), now=main.now()
    )
    config = config_for(service.world.dsn, encryption_keys=newest)
    app = create_app(config, address_of(service.world.dsn), Parts(workers=False, clock=False))
    hook = next(iter(service.hooks.hooks.values()))
    body = b'{"data": {"id": 1}, "meta": {}}'
    headers = {"X-Hook-Signature": signed(body, hook.secret)}
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=httpx.ASGITransport(app)) as clio,
    ):
        assert (await clio.post(hook.url, content=body, headers=headers)).status_code == 200


async def test_processes_that_start_at_once_agree_on_one_key(service: WebhookService):
    async with as_owner(service.services.database) as session:
        await session.execute(address_key.delete())
    both = [replace(service.services, request_checks=RequestChecks()) for _ in range(2)]
    async with asyncio.TaskGroup() as group:
        for services in both:
            group.create_task(load_request_checks(services))
    one, other = (services.request_checks.address_key().secret for services in both)
    assert one == other != service.services.request_checks.address_key().secret


async def test_a_key_of_addresses_that_cannot_be_opened_does_not_stop_the_tokens(
    service: WebhookService,
):
    async with as_owner(service.services.database) as session:
        await session.execute(address_key.update().values(sealed_key="broken"))
    services = replace(service.services, request_checks=RequestChecks())
    await load_request_checks(services)
    service.world.app.state.services = services
    assert (await knock(service, "x")).status == 503
    assert (await service.world.api.get("/v1/accounts/hp")).status_code == 200
    assert services.request_checks.find_token("unknown") is None


async def test_a_notification_replayed_a_hundred_times_requests_no_other_run(
    subscribed: WebhookService,
):
    # T8
    hook = next(iter(subscribed.hooks.hooks.values()))
    body = b'{"data": {"id": 1001}, "meta": {}}'
    headers = {"X-Hook-Signature": signed(body, hook.secret)}
    assert (await subscribed.post(hook.url, body, **headers)).status_code == 200
    assert len(await subscribed.webhook_runs()) == 1
    for _ in range(100):
        assert (await subscribed.post(hook.url, body, **headers)).status_code == 200
    assert len(await subscribed.webhook_runs()) == 1


async def test_an_address_is_looked_up_once_for_each_request(subscribed: WebhookService):
    hook = next(iter(subscribed.hooks.hooks.values()))
    reads: list[str] = []

    def count(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        if statement.startswith("SELECT") and "subscriptions.token_hash = " in statement:
            reads.append(statement)

    engine = subscribed.services.database
    listen(engine, "before_cursor_execute", count)
    body = b'{"data": {"id": 1001}, "meta": {}}'
    right = {"X-Hook-Signature": signed(body, hook.secret)}
    assert (await subscribed.post(hook.url, body, **right)).status_code == 200
    unlisten(engine, "before_cursor_execute", count)
    assert ["FOR UPDATE" in statement for statement in reads] == [False, True]


async def test_a_second_handshake_on_an_active_subscription_is_refused(subscribed: WebhookService):
    # T8
    hook = next(iter(subscribed.hooks.hooks.values()))
    answer = await subscribed.post(hook.url, b"{}", **{"X-Hook-Secret": "mine"})
    assert answer.status_code == 401
    body = b'{"data": {"id": 1}, "meta": {}}'
    forged = await subscribed.post(hook.url, body, **{"X-Hook-Signature": signed(body, "mine")})
    assert forged.status_code == 401


async def test_a_handshake_whose_answer_was_lost_is_answered_again(subscribed: WebhookService):
    # clio.md §15: otherwise Clio would wait for an answer until half of the lifetime is over
    hook = next(iter(subscribed.hooks.hooks.values()))
    again = await subscribed.post(hook.url, b"{}", **{"X-Hook-Secret": hook.secret})
    assert (again.status_code, again.headers["x-hook-secret"]) == (200, hook.secret)
    odd = await subscribed.post(hook.url, b"{}", **{"X-Hook-Secret": "é".encode()})
    assert odd.status_code == 401
    body = b'{"data": {"id": 1}, "meta": {}}'
    right = {"X-Hook-Signature": signed(body, hook.secret)}
    assert (await subscribed.post(hook.url, body, **right)).status_code == 200


async def test_a_subscription_without_a_handshake_is_soon_created_again(
    service: WebhookService,
):
    # clio.md §15: nothing is delivered before the handshake, and our answer may have been lost
    service.hooks.transport = httpx.MockTransport(lambda _: httpx.Response(502))
    await renewed(service)
    lost = set(service.hooks.hooks)
    service.hooks.transport = httpx.ASGITransport(service.world.app)
    service.skipped = timedelta(hours=1, minutes=1)
    assert await renewed(service) == 2
    made = service.hooks.hooks
    assert not lost & set(made)
    assert [hook.status for hook in made.values()] == ["enabled"] * 2
    service.skipped = timedelta(hours=3)
    assert await renewed(service) == 0


async def test_a_user_who_reconnects_while_a_subscription_is_created_still_gets_one(
    service: WebhookService, monkeypatch: pytest.MonkeyPatch
):
    # API-15: the new request must not be mistaken for the subscription that was just created
    real = service.hooks._handshake

    async def connecting_meanwhile(hook) -> None:
        monkeypatch.setattr(service.hooks, "_handshake", real)
        await real(hook)
        await service.world.connect("u_ann", 501)

    monkeypatch.setattr(service.hooks, "_handshake", connecting_meanwhile)
    await renewed(service)
    await renewed(service)
    hooks = service.hooks.hooks.values()
    assert sorted(hook.model for hook in hooks) == ["contact", "matter"]
    body = b'{"data": {"id": 1}, "meta": {}}'
    for hook in hooks:
        right = {"X-Hook-Signature": signed(body, hook.secret)}
        assert (await service.post(hook.url, body, **right)).status_code == 200, hook.model


async def test_a_user_who_reconnects_while_a_subscription_is_renewed_gets_a_new_one(
    subscribed: WebhookService, monkeypatch: pytest.MonkeyPatch
):
    # API-15: the end of the renewal must not put off what the reconnect has requested
    real = webhooks.renew
    before = set(subscribed.hooks.hooks)

    async def connecting_meanwhile(*args: Any, now: datetime) -> Any:
        monkeypatch.setattr(webhooks, "renew", real)
        renewal = await real(*args, now=now)
        await subscribed.world.connect("u_ann", 501)
        return renewal

    monkeypatch.setattr(webhooks, "renew", connecting_meanwhile)
    async with as_owner(subscribed.services.database) as session:
        await session.execute(subscriptions.update().values(due_at=main.now()))
    await renewed(subscribed)
    await renewed(subscribed)
    hooks = subscribed.hooks.hooks
    assert sorted(hook.model for hook in hooks.values()) == ["contact", "matter"]
    assert not before & set(hooks)
    assert not [row for row in await subscribed.rows() if row.pending]


async def test_a_secret_that_cannot_be_opened_causes_no_server_error_and_a_new_subscription(
    subscribed: WebhookService,
):
    # F29
    async with as_owner(subscribed.services.database) as session:
        await session.execute(subscriptions.update().values(sealed_secret="broken"))
    old = dict(subscribed.hooks.hooks)
    hook = next(iter(old.values()))
    body = b'{"data": {"id": 1}, "meta": {}}'
    right = {"X-Hook-Signature": signed(body, hook.secret)}
    assert (await subscribed.post(hook.url, body, **right)).status_code == 401
    foreign = {"X-Hook-Secret": "mine"}  # T8: nor does anybody's handshake give it another secret
    assert (await subscribed.post(hook.url, b"{}", **foreign)).status_code == 401
    subscribed.skipped = timedelta(days=2)
    assert await renewed(subscribed) == 2
    assert not old.keys() & subscribed.hooks.hooks.keys()


async def test_an_error_in_one_subscription_does_not_delay_another(
    service: WebhookService, monkeypatch: pytest.MonkeyPatch
):
    calls = iter([1, 2])

    def broken_once(services, connection, *more):
        if next(calls) == 1:
            raise KeyError(connection.region)
        return clio_for(services, connection, *more)

    monkeypatch.setattr("app.sync.connections.clio_webhooks.clio_for", broken_once)
    assert await renewed(service) == 2
    assert len(service.hooks.hooks) == 1


async def test_a_handshake_works_although_clio_sends_the_secret_nowhere_else(
    service: WebhookService,
):
    service.hooks.switches.tells_secret = False
    await renewed(service)
    service.firm.put("contact", {"id": 1001, "title": "Heard"})
    await service.hooks.deliver()
    assert len(await service.webhook_runs()) == 1


async def test_a_foreign_handshake_that_arrives_first_is_overwritten_by_clios_response(
    service: WebhookService, monkeypatch: pytest.MonkeyPatch
):
    # T8: the secret in the response to our own create request replaces a secret that somebody else sent
    real = service.hooks._handshake

    async def forged_first(hook) -> None:
        await service.post(hook.url, b"{}", **{"X-Hook-Secret": "the stranger's"})
        await real(hook)

    monkeypatch.setattr(service.hooks, "_handshake", forged_first)
    await renewed(service)
    hook = next(iter(service.hooks.hooks.values()))
    body = b'{"data": {"id": 1}, "meta": {}}'
    forged = {"X-Hook-Signature": signed(body, "the stranger's")}
    assert (await service.post(hook.url, body, **forged)).status_code == 401
    right = {"X-Hook-Signature": signed(body, hook.secret)}
    assert (await service.post(hook.url, body, **right)).status_code == 200


async def test_subscriptions_are_renewed_at_half_of_their_lifetime(subscribed: WebhookService):
    # F25
    before = {hook.id: hook.expires_at for hook in subscribed.hooks.hooks.values()}
    subscribed.skipped = webhooks.LIFETIME / 2 - timedelta(hours=1)
    assert await renewed(subscribed) == 0
    subscribed.skipped = webhooks.LIFETIME / 2 + timedelta(minutes=1)
    assert await renewed(subscribed) == 2
    after = {hook.id: hook.expires_at for hook in subscribed.hooks.hooks.values()}
    assert after.keys() == before.keys()
    assert all(after[hook] - before[hook] >= webhooks.LIFETIME / 2 for hook in after)


@pytest.mark.parametrize("end", ["suspended", "deleted"])
async def test_a_subscription_that_clio_ended_is_created_again_at_another_address(
    subscribed: WebhookService, end: str
):
    # F25: Clio suspends a subscription that failed for an hour; a new one exists in less than two days
    hook = next(iter(subscribed.hooks.hooks.values()))
    if end == "suspended":
        hook.status = "suspended"
    else:
        del subscribed.hooks.hooks[hook.id]
    subscribed.skipped = timedelta(days=2)
    assert await renewed(subscribed) == 2
    hooks = subscribed.hooks.hooks
    assert hook.id not in hooks
    assert sorted(found.model for found in hooks.values()) == ["contact", "matter"]
    assert hook.url not in {found.url for found in hooks.values()}
    assert (await subscribed.post(hook.url, b"{}")).status_code == 404


async def test_a_subscription_that_could_not_be_created_is_tried_again(service: WebhookService):
    from app.simulator.faults.faults import Fault

    service.world.simulator.faults.add(Fault("status", path="webhooks", value="503", times=2))
    assert await renewed(service) == 2
    assert not service.hooks.hooks
    service.skipped = timedelta(minutes=11)
    assert await renewed(service) == 2
    assert len(service.hooks.hooks) == 2


async def test_disconnecting_ends_the_subscriptions_and_reconnecting_creates_them_again(
    subscribed: WebhookService,
):
    urls = {hook.url for hook in subscribed.hooks.hooks.values()}
    connection = await anext(subscribed.world.all("connections"))
    await subscribed.world.api.delete(f"/v1/accounts/hp/connections/{connection['id']}")
    assert await subscribed.rows() == []
    await subscribed.world.housekept()
    assert subscribed.hooks.hooks == {}
    await subscribed.world.connect("u_ann", 501)
    await subscribed.world.housekept()
    assert len(subscribed.hooks.hooks) == 2
    assert not urls & {hook.url for hook in subscribed.hooks.hooks.values()}


async def test_subscriptions_of_a_login_without_tokens_are_put_off_until_it_connects(
    service: WebhookService,
):
    async with as_owner(service.services.database) as session:
        await session.execute(text("update connections set status = 'needs_reconnect'"))
    assert await renewed(service) == 2
    month, hour = timedelta(days=30), timedelta(hours=1)
    assert all(row.due_at > main.now() + month - hour for row in await service.rows())
    assert await service.count_jobs() == 0
    await service.world.connect("u_ann", 501)
    await service.world.housekept()
    assert len(service.hooks.hooks) == 2


async def test_a_disabled_account_ignores_a_notification(subscribed: WebhookService):
    # EN-1
    account = (await subscribed.world.api.get("/v1/accounts/hp")).json()
    body = {name: account[name] for name in ("name", "time_zone", "country")}
    await subscribed.world.api.put("/v1/accounts/hp", json={**body, "enabled": False})
    subscribed.firm.put("contact", {"id": 1001, "title": "Unheard"})
    await subscribed.hooks.deliver()
    assert await subscribed.webhook_runs() == []


async def test_nothing_is_subscribed_if_clio_cannot_reach_the_service(service: WebhookService):
    # API-15
    plain = replace(service.services, public_url="http://service.test")
    assert await renewed(service, plain) == 2
    assert service.hooks.hooks == {}
    assert await service.count_jobs() == 0


@pytest.mark.parametrize(
    ("ours", "clios", "reached"),
    [
        ("https://service.test", "https://app.clio.com", True),
        ("http://service.test", "https://app.clio.com", False),
        ("http://127.0.0.1:8000", "https://app.clio.com", False),
        ("http://127.0.0.1:8000", "http://127.0.0.1:8787", True),
        ("http://localhost:8000", "http://[::1]:8787", True),
    ],
)
async def test_clio_reaches_https_addresses_and_its_own_machine(
    service: WebhookService, ours: str, clios: str, reached: bool
):
    from app.clio.regions import Region

    region, offered = next(iter(service.services.regions.items()))
    moved = replace(offered, app=replace(offered.app, origin=clios))
    services = replace(service.services, public_url=ours, regions={region: moved})
    assert clio_webhooks.can_be_reached(services, Region.US) is reached


def test_a_signature_is_lower_case_hex_over_the_raw_bytes():
    secret = "6f0e"
    right = "b7a01a8fb6b3b5b2"
    body = '{"data":{"id":1,"name":"Zoë"}}'.encode()
    expected = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    assert is_signed(body, expected, secret)
    assert not is_signed(body, expected.upper(), secret)
    assert not is_signed(body + b" ", expected, secret)
    assert not is_signed(body, right, secret)
    assert timedelta(days=31) >= webhooks.LIFETIME


async def test_subscriptions_are_created_in_the_incremental_lane(
    service: WebhookService, monkeypatch: pytest.MonkeyPatch
):
    # S10
    lanes = RecordedLanes(monkeypatch)
    assert await renewed(service) == 2
    assert lanes.take() == {Lane.INCREMENTAL}


@pytest.mark.parametrize("data", [{}, {"id": "1001"}, {"id": 0}, {"id": 2**63}, {"id": 1.5}, None])
async def test_a_notification_that_names_no_record_requests_a_run_that_reads_the_lists(
    subscribed: WebhookService, data: Any
):
    hook = next(iter(subscribed.hooks.hooks.values()))
    body = json.dumps({"data": data, "meta": {}}).encode()
    headers = {"X-Hook-Signature": signed(body, hook.secret)}
    assert (await subscribed.post(hook.url, body, **headers)).status_code == 200
    (run,) = await subscribed.webhook_runs()
    assert (run["reads"], run["status"]) == ("lists", "succeeded")
