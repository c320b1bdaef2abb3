"""The present code starts on a database that the previous release filled, with jobs in the queue.

`tests/data/previous_release/` holds the database and the facts that it does not hold; the program
`tests/data/make_previous_release.py` made both. The fixture `upgraded` starts the present code once, first the API
alone, then with workers, and keeps what it saw; the tests check that. The clock is off, because it queues lost jobs
again: each job that is done here was queued by the previous release.
"""

import asyncio
import gzip
import hashlib
import hmac
import json
import secrets
from collections.abc import Callable, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest
import time_machine
from standardwebhooks import Webhook

from app import main
from app.clio.regions import Region
from app.crypto import new_key
from app.db import migrate
from app.db.connection import Address
from app.lanes import Lane
from app.main import Parts, create_app
from app.simulator.firms.harlow_pike import harlow_pike
from app.simulator.http.server import Simulator, credentials
from tests.support.commands import run
from tests.support.postgres import Server, address_of
from tests.support.seals import seals
from tests.support.slices import do_slice
from tests.support.webhook_receiver import Receiver, receiving
from tests.support.world import PATIENCE, PausableTransport, World, config_for

DATA = Path(__file__).parents[1] / "data" / "previous_release"
ACCOUNT = "/v1/accounts/hp"
ALICE, BRAM, CHLOE, DENIZ = 1001, 1002, 1003, 1004  # Bram was erased
TESS = 1041  # new in Clio after the upgrade
ENDED = ("written", "skipped", "failed", "cancelled")
OTHER_TOKEN = "an-access-token-that-is-not-stored"


def loaded() -> dict[str, Any]:
    """Return the facts of the previous release that its database does not hold."""
    found: dict[str, Any] = json.loads(gzip.decompress((DATA / "facts.json.gz").read_bytes()))
    return found


async def fill(dsn: str) -> None:
    """Load the data of the previous release into an empty database, and migrate it by the present code."""
    connection = await asyncpg.connect(dsn)
    await connection.execute(gzip.decompress((DATA / "database.sql.gz").read_bytes()).decode())
    await connection.close()
    await migrate.migrate(Address(dsn))


async def query(dsn: str, statement: str, *values: Any) -> list[Any]:
    connection = await asyncpg.connect(dsn)
    try:
        return list(await connection.fetch(statement, *values))
    finally:
        await connection.close()


async def until(check: Callable[[], Any], what: str) -> None:
    """Wait until a condition holds; fail with its name when it does not."""
    try:
        async with asyncio.timeout(PATIENCE):
            while not await check():
                await asyncio.sleep(0.05)
    except TimeoutError:
        raise AssertionError(f"This did not happen: {what}") from None


# --- Clio in the state at the end of the previous release -------------------------------------------


async def clio_of(facts: Mapping[str, Any]) -> tuple[Simulator, list[int]]:
    """Return a simulated Clio with the tokens, the people and the notes of the previous release; and the notes' ids.

    It does not know the stored access token of one login: that must be renewed with the stored refresh token.
    """
    first = datetime.fromisoformat(facts["writes"][0]["at"])
    with time_machine.travel(first, tick=True):
        simulator = Simulator(
            [harlow_pike(main.now)],
            now=main.now,
            redirect_uris=[f"{facts['public_url']}/oauth/clio/callback"],
            rate_limit=100_000,
        )
    ids = []
    async with asking(simulator) as clio:
        tokens = {user: dict(stored) for user, stored in facts["tokens"].items()}
        tokens["502"]["access_token"] = OTHER_TOKEN
        for user, stored in tokens.items():
            with time_machine.travel(first, tick=True):
                await grant(clio, facts, user, stored)
        for person in facts["people"]:
            with time_machine.travel(datetime.fromisoformat(person["at"]), tick=True):
                simulator.firms[0].put("contact", person["record"])
        for write in facts["writes"]:
            bearer = {"Authorization": f"Bearer {tokens[str(write['clio_user'])]['access_token']}"}
            with time_machine.travel(datetime.fromisoformat(write["at"]), tick=True):
                made = await clio.post(write["path"], json=write["document"], headers=bearer)
            assert made.status_code == 201, made.text
            ids.append(made.json()["data"]["id"])
    simulator.log.clear()
    return simulator, ids


def asking(simulator: Simulator) -> httpx.AsyncClient:
    """Return a client of the simulated Clio."""
    transport = httpx.ASGITransport(simulator.app("us"))
    return httpx.AsyncClient(transport=transport, base_url="https://app.clio.com")


async def grant(
    clio: httpx.AsyncClient, facts: Mapping[str, Any], user: str, stored: Mapping[str, str]
) -> None:
    """Let a user approve, and make Clio issue the stored tokens instead of random ones."""
    client_id, client_secret = credentials("us")
    redirect_uri = f"{facts['public_url']}/oauth/clio/callback"
    issued = iter(["code", stored["refresh_token"], stored["access_token"]])
    app = {"client_id": client_id, "redirect_uri": redirect_uri}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(secrets, "token_urlsafe", lambda _=None: next(issued))
        asked = {**app, "response_type": "code", "as_user": user}
        assert (await clio.get("/oauth/authorize", params=asked)).status_code == 302
        form = {"grant_type": "authorization_code", "code": "code", "client_secret": client_secret}
        answer = await clio.post("/oauth/token", data={**app, **form})
    assert answer.json()["refresh_token"] == stored["refresh_token"]
    assert answer.json()["access_token"] == stored["access_token"]


@asynccontextmanager
async def service(dsn: str, facts: Mapping[str, Any], simulator: Simulator, **parts: bool):
    """Run the present code on the database, with the configuration of the previous release."""
    clio_transport = PausableTransport(simulator)
    config = config_for(dsn, encryption_keys=facts["key"], public_url=facts["public_url"])
    app = create_app(
        config, address_of(dsn), Parts(clio_transports={Region.US: clio_transport}, **parts)
    )
    async with (
        app.router.lifespan_context(app),
        World(app, simulator, dsn, clio_transport) as world,
    ):
        yield world


# --- the upgrade ------------------------------------------------------------------------------------


@dataclass
class Upgrade:
    """The results after the present code started on the data of the previous release."""

    facts: dict[str, Any]
    simulator: Simulator
    note_ids: list[int]
    seals_before: dict[str, Any]
    answers: dict[str, Any] = field(default_factory=dict)
    repeated: list[str] = field(default_factory=list)
    jobs: dict[str, list[Any]] = field(default_factory=dict)
    token_calls: int = 0
    runs: dict[str, dict[str, Any]] = field(default_factory=dict)
    activities: dict[str, dict[str, Any]] = field(default_factory=dict)
    stored_activities: list[Any] = field(default_factory=list)
    notes: list[tuple[int, int]] = field(default_factory=list)  # the Clio ids of contact and author
    communications: list[str] = field(default_factory=list)
    lines: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    contacts: dict[str, dict[str, Any]] = field(default_factory=dict)
    events: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    received: list[str] = field(default_factory=list)
    new_clients: dict[str, dict[str, Any]] = field(default_factory=dict)
    issues: list[dict[str, Any]] = field(default_factory=list)
    begun_before: str = ""
    connected: str = ""
    hooks: dict[str, int] = field(default_factory=dict)
    seals_after: dict[str, Any] = field(default_factory=dict)


@pytest.fixture(scope="module")
def upgraded(server: Server) -> Upgrade:
    """Start the present code once, for all tests of this module."""
    return asyncio.run(upgrade(server))


async def upgrade(server: Server) -> Upgrade:
    facts = loaded()
    simulator, note_ids = await clio_of(facts)
    start = datetime.fromisoformat(facts["second_day"]) + timedelta(minutes=2)
    async with server.database() as dsn:
        await fill(dsn)
        found = Upgrade(facts, simulator, note_ids, await seals(dsn, facts["key"], earlier=True))
        with time_machine.travel(start, tick=True):
            async with service(dsn, facts, simulator, workers=False, clock=False) as world:
                await look(world, found)
            change_clio(simulator)
            async with receiving() as receiver:
                await move(dsn, found, receiver)
                async with service(dsn, facts, simulator, clock=False) as world:
                    await work(world, found)
                    await go_on(world, found)
                    await until(lambda: delivered(world), "each event is delivered")
                    collect(found, receiver)
                    await read_notes(found)
                    await post_as_clio(world, found)
            found.seals_after = await seals(dsn, facts["key"], earlier=True)
    return found


async def look(world: World, found: Upgrade) -> None:
    """Repeat every GET that the previous release answered, and its requests with a key, while no worker runs."""
    facts = found.facts
    jobs = "select id, entrypoint, dedupe_key from pgqueuer order by id"
    found.jobs["before"] = await query(world.dsn, jobs)
    headers = {"Authorization": f"Bearer {facts['service_token']}"}
    for path in facts["answers"]:
        answer = await world.api.get(path, headers=headers)
        found.answers[path] = answer.json()
    for request in facts["requests"]:
        key = {"Idempotency-Key": request["key"]}
        answer = await world.api.post(request["path"], json=request["body"], headers=key)
        assert answer.is_success, answer.text
        found.repeated.append(answer.json()["id"])
    found.jobs["after"] = await query(world.dsn, jobs)


async def move(dsn: str, found: Upgrade, receiver: Receiver) -> None:
    """Adjust what depends on this machine: the receiver's port, and the ids that this simulated Clio gave to notes."""
    await query(dsn, "update webhook_endpoints set url = $1", receiver.url)
    listed = found.facts["answers"][f"{ACCOUNT}/activities?limit=200"]["data"]
    written = [one["id"] for one in listed if one["clio"]]
    for activity_id, clio_id in zip(written, found.note_ids, strict=False):
        adjust = "update activities set clio_id = $2 where activity_id = $1"
        await query(dsn, adjust, activity_id, clio_id)


def change_clio(simulator: Simulator) -> None:
    """Change the firm in Clio: a new client, a new title, and a change of the person who was erased."""
    firm = simulator.firms[0]
    tess = {"type": "Person", "name": "Tess New", "first_name": "Tess", "last_name": "New"}
    address = {"id": 1, "name": "Work", "address": "tess@mail.test", "primary": True}
    firm.put("contact", {**tess, "id": TESS, "is_client": True, "email_addresses": [address]})
    firm.put("contact", {"id": ALICE, "title": "Principal"})
    firm.put("contact", {"id": BRAM, "title": "Captain"})


async def work(world: World, found: Upgrade) -> None:
    """Wait until all queued jobs are done, and keep the results."""
    await until(lambda: emptied(world), "each job in the queue is done")
    await world.settled()
    await until(lambda: ended(world), "each activity has ended")
    found.token_calls = len(world.simulator.requests("/oauth/token"))
    found.runs = {one["id"]: one for one in await world.runs()}
    found.activities = {one["id"]: one async for one in world.all("activities")}
    found.stored_activities = await query(
        world.dsn, "select activity_id, body, reason, proven_at from activities"
    )
    found.lines["old jobs"] = await lines_after(world, found.facts["feed"])
    found.contacts = await world.contacts()


async def go_on(world: World, found: Upgrade) -> None:
    """Finish the holds and the login that the previous release started; then assess everybody again."""
    holds = [hold["id"] async for hold in world.all("holds")]
    for hold_id, verdict in zip(holds, ("release", "discard"), strict=True):
        answer = await world.api.post(f"{ACCOUNT}/holds/{hold_id}/{verdict}")
        assert answer.status_code == 200, answer.text
    found.issues = [issue async for issue in world.all("issues")]
    callback = await world.approve_at_clio(found.facts["authorize_url"], 503)
    found.begun_before = (await world.api.get(callback)).text
    found.connected = await world.connect("u_cat", 503)
    await world.settled()
    await until(lambda: ended(world), "the activity of the new login is written")
    found.activities |= {one["id"]: one async for one in world.all("activities")}
    before = await lines_after(world, found.facts["feed"])
    no_effect = {"scope": {"segment": {"exclude_any": ["a label that nobody has"]}}}
    assert (await world.choose(no_effect) or {})["status"] == "succeeded"
    after = await lines_after(world, found.facts["feed"])
    found.lines["assessed again"] = after[len(before) :]
    found.new_clients = {row["clio_id"]: row async for row in world.all("new-clients")}
    rotated = f"/v1/webhook-endpoints/{found.facts['endpoint']['id']}/rotate"
    assert (await world.api.post(rotated)).status_code == 200
    await world.start("u_off")


async def emptied(world: World) -> bool:
    return not await query(world.dsn, "select from pgqueuer")


async def ended(world: World) -> bool:
    """Return whether no activity is waiting, except those whose author is not connected."""
    ours = [one async for one in world.all("activities")]
    return all(one["status"] in (*ENDED, "blocked") for one in ours)


async def delivered(world: World) -> bool:
    return not await query(world.dsn, "select from deliveries where status = 'pending'")


async def lines_after(world: World, cursor: str) -> list[dict[str, Any]]:
    """Return the lines of the feed after a cursor of the previous release."""
    asked = {"limit": "1000", "cursor": cursor}
    answer = await world.api.get(f"{ACCOUNT}/changes", params=asked)
    assert answer.status_code == 200, answer.text
    lines: list[dict[str, Any]] = answer.json()["data"]
    return lines


def collect(found: Upgrade, receiver: Receiver) -> None:
    """Check every signature with each secret that the previous release gave out, and sort the events by type."""
    for post in receiver.received:
        found.received.append(post.headers["webhook-id"])
        newest, previous = map(Webhook, found.facts["secrets"])
        previous.verify(post.body, post.headers)
        document = newest.verify(post.body, post.headers)
        found.events.setdefault(document["type"], []).append(document["data"])


async def read_notes(found: Upgrade) -> None:
    """Read all notes and communications in Clio, as the user who sees all contacts."""
    bearer = {"Authorization": f"Bearer {found.facts['tokens']['501']['access_token']}"}
    async with asking(found.simulator) as clio:
        asked = {"type": "Contact", "fields": "id,contact{id},author{id}"}
        notes = (await clio.get("/api/v4/notes.json", params=asked, headers=bearer)).json()["data"]
        found.notes = [(note["contact"]["id"], note["author"]["id"]) for note in notes]
        texts = await clio.get(
            "/api/v4/communications.json", params={"fields": "id,body"}, headers=bearer
        )
        found.communications = [text["body"] for text in texts.json()["data"]]


async def post_as_clio(world: World, found: Upgrade) -> None:
    """Post what Clio posts, to the old addresses: signed with the old secrets, and with a wrong signature."""
    body = b'{"data":{"id":1001},"meta":{"event":"updated"}}'
    for hook in found.facts["hooks"]:
        signature = hmac.new(hook["secret"].encode(), body, hashlib.sha256).hexdigest()
        for said in (signature, signature[::-1]):
            answer = await world.api.post(
                hook["url"], content=body, headers={"X-Hook-Signature": said}
            )
            found.hooks[f"{hook['url']} {said == signature}"] = answer.status_code


# --- the results --------------------------------------------------------------------------------


def differing(path: str, old: Any, new: Any) -> Iterator[str]:
    """Return what was removed or changed, at any depth; a field may be added."""
    if isinstance(old, dict) and isinstance(new, dict):
        for name in old:
            if name in new:
                yield from differing(f"{path} {name}", old[name], new[name])
            else:
                yield f"{path} {name}: {json.dumps(old[name])[:200]} is missing"
    elif isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        for place, pair in enumerate(zip(old, new, strict=True)):
            yield from differing(f"{path} {place}", *pair)
    elif old != new:
        yield f"{path}: {json.dumps(old)[:200]} became {json.dumps(new)[:200]}"


def corrected(answer: Any) -> Any:
    """Return an answer of the previous release without what was wrong in it.

    The report of a run said of new clients who wait in a hold that they would leave, beside the row that says that they
    were added.
    """
    if not isinstance(answer, dict) or "outcomes" not in answer:
        return answer
    rows = answer["outcomes"]
    added = {row["clio_id"] for row in rows if row["outcome"] == "added"}
    kept = [row for row in rows if (row["outcome"], row["clio_id"] in added) != ("held", True)]
    return {**answer, "outcomes": kept}


def test_every_get_and_every_cursor_is_answered_as_by_the_previous_release(upgraded: Upgrade):
    wanted = upgraded.facts["answers"]
    assert len(wanted) > 80
    assert sum("cursor=" in path for path in wanted) > 12
    changed = [
        line
        for path in wanted
        for line in differing(path, corrected(wanted[path]), upgraded.answers[path])
    ]
    assert not changed, "\n".join([f"{len(changed)} values were removed or changed:", *changed])


@pytest.mark.parametrize(
    ("new", "lines"),
    [
        ({"a": {"b": 1, "more": 2}, "c": [{"d": 1, "more": 2}], "more": 2}, []),
        ({"a": {}, "c": [{"d": 1}]}, ["/x a b: 1 is missing"]),
        ({"a": {"b": 1}}, ['/x c: [{"d": 1}] is missing']),
        ({"a": {"b": 1}, "c": [{"d": 2}]}, ["/x c 0 d: 1 became 2"]),
        ({"a": {"b": 1}, "c": []}, ['/x c: [{"d": 1}] became []']),
        ({"a": None, "c": [{"d": 1}]}, ['/x a: {"b": 1} became null']),
    ],
)
def test_a_field_may_be_added_to_an_answer_but_not_removed_or_changed(new: Any, lines: list[str]):
    assert list(differing("/x", {"a": {"b": 1}, "c": [{"d": 1}]}, new)) == lines


def test_a_request_that_is_repeated_is_recognised_by_its_key(upgraded: Upgrade):
    assert upgraded.repeated == [request["id"] for request in upgraded.facts["requests"]]
    assert upgraded.jobs["before"] == upgraded.jobs["after"]


def test_the_queued_and_the_interrupted_run_succeed_with_the_stored_tokens(upgraded: Upgrade):
    queued = upgraded.facts["requests"][0]["id"]
    for run_id, kind in ((queued, "full"), (upgraded.facts["interrupted"], "incremental")):
        run = upgraded.runs[run_id]
        assert (run["kind"], run["status"]) == (kind, "succeeded"), run
        assert run["problems"] == []
        assert run["counts"]["pulled"]["contacts"] > 0
    # One login still had an access token that Clio knows; the other was renewed, once for both runs.
    assert upgraded.token_calls == 1
    answered = {
        entry.user_id for entry in upgraded.simulator.requests("/api/") if entry.status == 200
    }
    assert {501, 502} <= answered
    assert len(upgraded.runs) == len(upgraded.facts["answers"][f"{ACCOUNT}/runs?limit=200"]["data"])


def test_each_queued_activity_is_written_once_and_one_with_a_lost_answer_is_found(
    upgraded: Upgrade,
):
    facts = upgraded.facts
    ids = {request["key"]: request["id"] for request in facts["requests"]}
    mine = [ids["key-grown"], ids["key-later"], ids["key-blocked"], facts["unsure"]]
    assert {upgraded.activities[one]["status"] for one in mine} == {"written"}
    assert upgraded.activities[facts["unsure"]]["attempts"] == 1
    assert upgraded.notes == [
        *((ALICE, 501), (DENIZ, 502)),  # by the previous release
        *((CHLOE, 501), (ALICE, 503)),
    ]
    assert upgraded.communications == [facts["requests"][1]["body"]["body"]]


def test_the_queued_verification_counts_the_activities_of_the_previous_release(upgraded: Upgrade):
    old = {write["document"]["data"]["subject"] for write in upgraded.facts["writes"][:2]}
    assert old == {"Email: Your closing date", "Text messages with Alice Moreno"}
    proven = [row for row in upgraded.stored_activities if row["proven_at"]]
    assert len(proven) == 2
    assert {(row["body"], row["reason"]) for row in proven} == {("", None)}


def test_the_feed_continues_without_a_gap_and_has_only_the_changes_in_clio(upgraded: Upgrade):
    lines = upgraded.lines["old jobs"]
    last = max(
        line["seq"] for line in upgraded.facts["answers"][f"{ACCOUNT}/changes?limit=200"]["data"]
    )
    assert [line["seq"] for line in lines] == list(range(last + 1, last + 1 + len(lines)))
    assert sorted((line["kind"], line["clio_id"], *sorted(line["fields"])) for line in lines) == [
        ("contact.added", str(TESS), "emails", "first_name", "key_facts", "last_name"),
        ("contact.updated", str(ALICE), "title"),
    ]


def test_no_contact_changes_when_all_are_assessed_again(upgraded: Upgrade):
    assert upgraded.lines["assessed again"] == []


def test_the_erased_person_does_not_return(upgraded: Upgrade):
    assert str(BRAM) not in upgraded.contacts
    assert str(TESS) in upgraded.contacts


def test_waiting_events_are_delivered_once_and_delivered_events_are_not_sent_again(
    upgraded: Upgrade,
):
    assert len(upgraded.received) == len(set(upgraded.received))
    assert set(upgraded.received).isdisjoint(upgraded.facts["delivered"])
    replayed = upgraded.facts["answers"][f"{ACCOUNT}/new-clients?limit=200"]["data"][0]
    assert replayed["event_ids"][1] in upgraded.received


def test_no_client_is_announced_twice_and_held_clients_are_announced_on_release(
    upgraded: Upgrade,
):
    before = {
        row["clio_id"]: row
        for row in upgraded.facts["answers"][f"{ACCOUNT}/new-clients?limit=200"]["data"]
    }
    held = {clio_id for clio_id, row in before.items() if row["status"] == "held"}
    assert len(held) == 4
    announced = [event["clio_id"] for event in upgraded.events["client.new"]]
    # A replay that waited, two clients who were released, and one who is new in Clio.
    assert len(announced) == len(set(announced)) == 4
    assert set(announced) - held == {"1021", str(TESS)}
    for clio_id, row in upgraded.new_clients.items():
        if clio_id not in {*held, str(TESS)}:
            assert row == before[clio_id]
    after = [upgraded.new_clients[clio_id]["status"] for clio_id in sorted(held)]
    assert sorted(after) == ["emitted", "emitted", "suppressed", "suppressed"]
    assert {issue["code"] for issue in upgraded.issues} == {"new_client_surge"}
    assert all(issue["resolved_at"] for issue in upgraded.issues)


def test_a_login_that_was_begun_before_the_upgrade_must_begin_again(upgraded: Upgrade):
    # T3: the previous release gave the browser no cookie
    assert "go back to Levitate and start there" in upgraded.begun_before
    assert "clio=connected" in upgraded.connected


def test_webhooks_of_clio_are_accepted_at_the_old_addresses_with_the_old_secrets(upgraded: Upgrade):
    assert len(upgraded.hooks) == 8
    for post, status in upgraded.hooks.items():
        assert status == (200 if post.endswith("True") else 401)


def test_secrets_are_sealed_for_the_same_rows(upgraded: Upgrade):
    before, after = upgraded.seals_before, upgraded.seals_after
    assert len(before) == 7
    assert after == {**before, "address_key.sealed_key": ["key"]}


# --- what the present code writes -------------------------------------------------------------------


async def test_the_clock_queues_the_same_work_and_the_same_subscriptions_are_renewed(own_dsn: str):
    """The clock queues in its lane what the jobs of the previous release stand for."""
    facts = loaded()
    simulator, _ = await clio_of(facts)
    start = datetime.fromisoformat(facts["second_day"]) + timedelta(days=3)
    await fill(own_dsn)
    old = await query(own_dsn, "delete from pgqueuer returning entrypoint")
    assert {row["entrypoint"] for row in old} == {"run", "writeback", "sweep"}
    subscribed = await query(own_dsn, SUBSCRIBED)
    # Of the two runs the interrupted one goes first.
    lanes = {
        ("person", "person:hp", "hp"),
        ("write_back", "write_back:hp", "hp"),
        ("housekeeping", "housekeeping:subscriptions:hp", "subscriptions:hp"),
    }

    async def queued() -> bool:
        return await jobs(own_dsn) >= lanes

    with time_machine.travel(start, tick=True):
        async with service(own_dsn, facts, simulator, workers=False) as world:
            simulator.webhooks.transport = httpx.ASGITransport(world.app)
            await until(queued, "the same work is queued")
            await do_slice(world.app.state.services, Lane.HOUSEKEEPING, "subscriptions:hp")
    renewed = {*await query(own_dsn, SUBSCRIBED), *subscribed}
    assert len(renewed) == 2 * len(subscribed), "each has a new secret"
    assert "subscriptions.sealed_secret" in await seals(own_dsn, facts["key"], earlier=True)


SUBSCRIBED = (
    "select connection_id, model, sealed_secret from subscriptions"
    " where sealed_secret is not null and not pending"
)


async def jobs(dsn: str) -> set[tuple[str, str, str]]:
    """Return the name, the key and the payload of each queued job."""
    statement = "select entrypoint, dedupe_key, convert_from(payload, 'UTF8') from pgqueuer"
    return {(*row,) for row in await query(dsn, statement)}


def test_the_command_seals_everything_with_another_key(own_dsn: str):
    facts, newest = loaded(), new_key()
    asyncio.run(fill(own_dsn))
    before = asyncio.run(seals(own_dsn, facts["key"], earlier=True))
    rotate(own_dsn, newest, facts["key"])
    assert asyncio.run(seals(own_dsn, newest)) == before
    # Without any secret the key is new, and the value that later checks it is created now.
    for table in ("audit", "accounts", "webhook_endpoints", "key_check"):
        asyncio.run(query(own_dsn, f"delete from {table}"))
    rotate(own_dsn, newest)
    assert asyncio.run(seals(own_dsn, newest)) == {"key_check.sealed_check": []}


def rotate(dsn: str, *keys: str) -> None:
    ended = run("keys", "rotate", database_url=dsn, encryption_keys=",".join(keys))
    assert ended.returncode == 0, ended.stderr
