# mypy: ignore-errors
"""Make the database of the previous release that `tests/integration/test_data_of_the_previous_release.py` starts on.

This program runs on commit df6d102 and on no other; its imports name that commit's modules. To run it again:

    git worktree add /tmp/previous df6d102
    cp tests/data/make_previous_release.py /tmp/previous/tests/data/
    cd /tmp/previous && make .venv/.installed
    .venv/bin/python -m tests.data.make_previous_release postgresql://user@host/empty FOLDER

The address names an empty database on PostgreSQL 15, and `pg_dump` in the PATH must be of that version too: what a
newer version writes, an older one cannot read. The program fills the database through the API of that release, with
the simulated firm Harlow & Pike in place of Clio, and writes two files to FOLDER, which belong in
`tests/data/previous_release/`:

- `database.sql.gz`: the database as plain SQL, for any PostgreSQL from 15 on.
- `facts.json.gz`: what a test must know and the database does not hold: the encryption key, the tokens that the
  simulated Clio must accept, the requests that wrote its notes, cursors and idempotency keys, and the answer of that
  release to every GET.

The service's clock is set: the firm is connected and read on `FIRST_DAY`, and the jobs are queued on `SECOND_DAY`.
At the end the program itself changes one thing: times that PostgreSQL took from its own clock are set to `SECOND_DAY`,
so that they are in the past for the test.
"""

import asyncio
import gzip
import json
import re
import subprocess
import sys
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlencode

import asyncpg
import httpx
import time_machine
from app.db.access import ServiceToken
from app.simulator.fixture import harlow_pike
from app.simulator.server import Simulator
from app.simulator.writings import WriteFault
from tests.receiver import receiving
from tests.world import USERS, Door, World, config_for

from app import logs, main
from app.clio.regions import Region
from app.crypto import TokenCipher, new_service_token
from app.db import access, migrate
from app.db.session import open_database, transaction
from app.main import Parts, create_app
from app.simulator.faults import Fault
from app.sync import keys, nudge, sweep

KEY = "cHJldmlvdXMgcmVsZWFzZSwgYSBmaXhlZCB0ZXN0IGs="  # seals nothing but this data
FIRST_DAY = datetime(2026, 3, 4, 15, 0, tzinfo=UTC)
SECOND_DAY = FIRST_DAY + timedelta(hours=24, minutes=30)
PUBLIC_URL = "https://service.test"
ACCOUNT = "/v1/accounts/hp"
ROWS_AT_ONCE = 200

EMAIL = {
    "kind": "email",
    "user_id": "u_ann",
    "clio_contact_id": "1001",
    "occurred_at": "2026-03-04T09:30:00-05:00",
    "subject": "Your closing date",
    "body": "Dear Alice, we close on Friday.",
}
TEXT = {
    "kind": "text_message",
    "user_id": "u_ann",
    "clio_contact_id": "1001",
    "occurred_at": "2026-03-04T09:40:00-05:00",
    "body": "See you at noon",
    "conversation_id": "c9",
}
GROWN_TEXT = {**TEXT, "body": "See you at noon\nFine, see you then"}
LATER_EMAIL = {
    **EMAIL,
    "clio_contact_id": "1003",
    "subject": "Your visa",
    "body": "Dear Chloe, it has arrived.",
}
UNSURE_NOTE = {
    **EMAIL,
    "kind": "note",
    "user_id": "u_ben",
    "clio_contact_id": "1004",
    "subject": "Hearing",
    "body": "Deniz was told of the new date.",
}
BLOCKED_EMAIL = {
    **EMAIL,
    "user_id": "u_cat",
    "subject": "Hello",
    "body": "Cat is not connected yet.",
}
INTERRUPTED, QUEUED = {"kind": "incremental"}, {"kind": "full"}


class Recorder(Door):
    """The transport to the simulated Clio; it keeps the requests that write."""

    def __init__(self, simulator):
        super().__init__(simulator)
        self.simulator = simulator
        self.written = []

    async def handle_async_request(self, request):
        path = request.url.path
        if request.method == "POST" and path.startswith(("/api/v4/notes", "/api/v4/comm")):
            bearer = request.headers["authorization"].removeprefix("Bearer ")
            self.written.append(
                {
                    "at": main.now().isoformat(),
                    "clio_user": self.simulator.oauth["us"].grant_of(bearer).user_id,
                    "method": request.method,
                    "path": path,
                    "document": json.loads(request.content),
                }
            )
        return await super().handle_async_request(request)


@asynccontextmanager
async def service(dsn, simulator, recorder, **parts):
    config = config_for(dsn, encryption_keys=KEY, public_url=PUBLIC_URL, settle_seconds=60)
    app = create_app(
        config, dsn, Parts(clock=False, clio_transports={Region.US: recorder}, **parts)
    )
    simulator.webhooks.transport = httpx.ASGITransport(app)
    async with app.router.lifespan_context(app), World(app, simulator, dsn, recorder) as world:
        yield world


async def ask(client, method, path, body=None, key=None, **params):
    headers = {"Idempotency-Key": key} if key else {}
    more = {"params": params} if params else {}
    answer = await client.request(method, path, json=body, headers=headers, **more)
    assert answer.is_success, (method, path, answer.status_code, answer.text)
    return answer.json() if answer.content else None


async def until(check, what):
    for _ in range(1200):
        if found := await check():
            return found
        await asyncio.sleep(0.05)
    raise AssertionError(f"It did not happen: {what}")


# --- the first day ---------------------------------------------------------------------------------


async def first_day(world, firm, travel, client, receiver):
    """Connect, read, change settings, hold new clients, erase, write back; the receiver gets every event."""
    facts = {}
    facts["endpoint"] = await ask(
        client, "POST", "/v1/webhook-endpoints", {"url": receiver.url, "events": ["*"]}
    )
    never = {"url": receiver.url, "events": ["connection.needs_reconnect"]}  # nothing of that kind
    await ask(client, "POST", "/v1/webhook-endpoints", never)
    for user_id, clio_user in (("u_ann", 501), ("u_ben", 502)):
        assert "clio=connected" in await world.connect(user_id, clio_user)
        await world.settled()
    await ask(world.api, "PUT", f"{ACCOUNT}/attorneys/504", {"user_id": "u_off"})
    await world.settled()
    assert await world.choose(
        {"tags": {"location": {"city": True}}, "new_client": {"surge_threshold": 1}}
    )
    people = await world.contacts()
    await ask(
        world.api,
        "POST",
        f"{ACCOUNT}/contacts/{people['1003']['id']}/preexisting-tags",
        {"labels": ["VIP"]},
    )
    await ask(world.api, "DELETE", f"{ACCOUNT}/contacts/{people['1002']['id']}")
    facts["people"] = []
    for new in (["Nora"], ["Olga", "Pete"], ["Quin", "Rosa"]):  # the threshold is 1: two are held
        travel.shift(timedelta(minutes=2))
        for first_name in new:
            person = new_client(1021 + len(facts["people"]), first_name)
            facts["people"].append({"at": main.now().isoformat(), "record": person})
            firm.put("contact", person)
        run = await world.run("incremental")
        assert (run["status"], run["problems"]) == ("succeeded", []), run
    assert [hold["status"] async for hold in world.all("holds")] == ["open", "open"]
    for key, body in (("key-email", EMAIL), ("key-text", TEXT)):
        made = await ask(world.api, "POST", f"{ACCOUNT}/activities", body, key)
        await in_state(world, made["id"], "written")
    await subscribe(world)
    await until(lambda: told_all(client, facts["endpoint"]["id"]), "all deliveries ended")
    await world.idle()
    facts["delivered"] = [post.headers["webhook-id"] for post in receiver.received]
    return facts


def new_client(clio_id, first_name):
    """A new client in the simulated Clio."""
    address = f"{first_name.lower()}@mail.test"
    return {
        "id": clio_id,
        "type": "Person",
        "name": f"{first_name} New",
        "first_name": first_name,
        "last_name": "New",
        "is_client": True,
        "email_addresses": [
            {"id": clio_id * 10, "name": "Work", "address": address, "primary": True}
        ],
    }


async def in_state(world, activity_id, status):
    async def look():
        found = await ask(world.api, "GET", f"{ACCOUNT}/activities/{activity_id}")
        return found["status"] == status and found

    return await until(look, f"{activity_id} is {status}")


async def subscribe(world):
    """Subscribe to Clio's webhooks, as the clock does, which is off here."""
    assert await nudge.keep_up(world.app.state.services) == 4


async def told_all(client, endpoint_id):
    listed = await ask(client, "GET", f"/v1/webhook-endpoints/{endpoint_id}/deliveries", limit=200)
    return all(one["status"] == "delivered" for one in listed["data"])


# --- the second day --------------------------------------------------------------------------------


async def lost_answer(world, simulator):
    """Write a note of which Clio's answer is lost: the activity waits to be looked up in Clio."""
    simulator.writings.faults.append(WriteFault("bad_gateway"))
    made = await ask(world.api, "POST", f"{ACCOUNT}/activities", UNSURE_NOTE, "key-note")

    async def attempted():
        found = await ask(world.api, "GET", f"{ACCOUNT}/activities/{made['id']}")
        return (found["status"], found["reason"]) == ("sending", "checking_in_clio") and found

    await until(attempted, "the note was attempted")
    await world.idle()
    return made["id"]


async def cut_short(world, simulator):
    """Start a run whose worker stops after it has read some lists; it waits to be continued."""
    simulator.faults.add(Fault("rate_limited", path=r"/contacts\.json", skip=1, value="600"))
    made = await ask(world.api, "POST", f"{ACCOUNT}/runs", INTERRUPTED, "key-interrupted")

    async def waiting():
        found = await ask(world.api, "GET", f"{ACCOUNT}/runs/{made['id']}")
        asked = [entry.status for entry in simulator.requests("/api/v4/contacts")]
        return 429 in asked and found["progress"]["done"]

    await until(waiting, "some lists were read")
    return made["id"]


async def queue_up(world, client, facts):
    """Queue what the present release must do, while no worker of the previous one runs."""
    rotated = await ask(client, "POST", f"/v1/webhook-endpoints/{facts['endpoint']['id']}/rotate")
    facts["secrets"] = [rotated["secret"], facts["endpoint"]["secret"]]
    facts["authorize_url"] = await world.start("u_cat")
    facts["requests"] = [
        {"path": f"{ACCOUNT}/runs", "key": "key-run", "body": QUEUED},
        {"path": f"{ACCOUNT}/activities", "key": "key-grown", "body": GROWN_TEXT},
        {"path": f"{ACCOUNT}/activities", "key": "key-later", "body": LATER_EMAIL},
        {"path": f"{ACCOUNT}/activities", "key": "key-blocked", "body": BLOCKED_EMAIL},
    ]
    for request in facts["requests"]:
        made = await ask(world.api, "POST", request["path"], request["body"], request["key"])
        request["id"] = made["id"]
    (nora,) = [row async for row in world.all("new-clients") if row["clio_id"] == "1021"]
    await ask(world.api, "POST", f"{ACCOUNT}/new-clients/{nora['id']}/replay")
    await sweep.tend(world.app.state.services)


LISTS = (
    "connections", "runs", "contacts", "changes", "new-clients", "activities", "issues", "holds", "audit",
    "settings/versions",
)  # fmt: skip


async def answers(world, client, facts):
    """Return the answer to every GET, and for each list a cursor with the page that follows it."""
    found, paths = {}, ["/v1/accounts"]
    single = ("", "users", "attorneys", "status", "settings", "catalog")
    paths += [f"{ACCOUNT}/{name}".rstrip("/") for name in single]
    paths += [f"{ACCOUNT}/{name}?limit=200" for name in LISTS]
    paths += ["/v1/webhook-endpoints?limit=200"]
    endpoint = f"/v1/webhook-endpoints/{facts['endpoint']['id']}"
    paths += [endpoint, f"{endpoint}/deliveries?limit=200"]
    paths += [f"{ACCOUNT}/connections/{c['id']}" async for c in world.all("connections")]
    for run in await world.runs():
        paths += [f"{ACCOUNT}/runs/{run['id']}", f"{ACCOUNT}/runs/{run['id']}/report"]
    for contact in (await world.contacts()).values():
        one = f"{ACCOUNT}/contacts/{contact['id']}"
        paths += [one, f"{one}/explain", f"{one}/history?limit=200"]
    paths += [f"{ACCOUNT}/activities/{a['id']}" async for a in world.all("activities")]
    for path in paths:
        found[path] = await ask(client, "GET", path)
    lists = [f"{ACCOUNT}/{name}" for name in LISTS]
    alice = (await world.contacts())["1001"]["id"]
    lists += ["/v1/webhook-endpoints", f"{endpoint}/deliveries"]
    lists += [f"{ACCOUNT}/contacts/{alice}/history"]
    for filtered in ("contacts?state=in_scope", "activities?status=written", "issues?status=open"):
        lists.append(f"{ACCOUNT}/{filtered}")
    for path in lists:
        mark = "&" if "?" in path else "?"
        page = await ask(client, "GET", f"{path}{mark}limit=1")
        if page["has_more"]:
            following = f"{path}{mark}" + urlencode({"limit": 1, "cursor": page["next_cursor"]})
            found[following] = await ask(client, "GET", following)
    return found


# --- the whole -------------------------------------------------------------------------------------


async def make(dsn):
    """Fill the database; return the facts that it does not hold."""
    database = open_database(dsn)
    await migrate.migrate(database)
    await keys.check_keys(database, TokenCipher([KEY]))
    token, token_id, secret_hash = new_service_token()
    with time_machine.travel(FIRST_DAY, tick=True) as travel:
        firm = harlow_pike(main.now)
        simulator = Simulator(
            [firm],
            now=main.now,
            redirect_uris=[f"{PUBLIC_URL}/oauth/clio/callback"],
            rate_limit=100_000,
        )
        recorder = Recorder(simulator)
        async with transaction(database) as session:
            made = ServiceToken(token_id, "backend", secret_hash, ("hp",), main.now(), None)
            await access.add_token(session, made)
        async with service(dsn, simulator, recorder) as world, receiving() as receiver:
            await world.create_account()
            async with as_backend(world, token) as client:
                facts = await first_day(world, firm, travel, client, receiver)
            facts["feed"] = (await ask(world.api, "GET", f"{ACCOUNT}/changes", limit=1000))[
                "next_cursor"
            ]
    with time_machine.travel(SECOND_DAY, tick=True):
        async with service(dsn, simulator, recorder) as world:
            facts["unsure"] = await lost_answer(world, simulator)
            facts["interrupted"] = await cut_short(world, simulator)
        async with service(dsn, simulator, recorder, workers=False) as world:
            async with as_backend(world, token) as client:
                await queue_up(world, client, facts)
                facts["answers"] = await answers(world, client, facts)
            facts["tokens"] = tokens(world.app.state.services.cipher, await rows(dsn), simulator)
    hooks = simulator.webhooks.hooks.values()
    facts |= {
        "key": KEY,
        "public_url": PUBLIC_URL,
        "second_day": SECOND_DAY.isoformat(),
        "service_token": token,
        "users": USERS,
        "writes": recorder.written,
        "hooks": [{"url": hook.url, "secret": hook.secret, "model": hook.model} for hook in hooks],
    }
    await database.dispose()
    return facts


@asynccontextmanager
async def as_backend(world, token):
    """The API with the service token of the account."""
    headers = {"Authorization": f"Bearer {token}", "Levitate-Role": "success_manager"}
    transport = httpx.ASGITransport(world.app, raise_app_exceptions=False)
    async with httpx.AsyncClient(
        transport=transport, base_url=PUBLIC_URL, headers=headers, timeout=60
    ) as client:
        yield client


async def rows(dsn):
    connection = await asyncpg.connect(dsn)
    try:
        return await connection.fetch(
            "select connection_id, clio_user_id, sealed_tokens from connections"
            " where sealed_tokens is not null order by 1"
        )
    finally:
        await connection.close()


def tokens(cipher, found, simulator):
    """Return the stored tokens of each login; they are those that the simulated Clio issued."""
    issued = {grant.refresh_token: grant for grant in simulator.oauth["us"]._grants.values()}
    listed = {}
    for row in found:
        sealed = cipher.open(row["sealed_tokens"], row=f"connections/hp/{row['connection_id']}")
        assert issued[sealed["refresh_token"]].access_token == sealed["access_token"]
        listed[str(row["clio_user_id"])] = sealed
    return listed


OWN_CLOCK = (
    "update pgqueuer set created = $1, updated = $1, execute_after = $1, heartbeat = $1",
    "update pgqueuer_log set created = $1",
    "update budgets set ends = extract(epoch from $1::timestamptz)",
    "update webhook_endpoints set claimed_until = $1 where claimed_until is not null",
    "update runs set leased_until = $1 where leased_until is not null",
    "update activity_turns set leased_until = $1 where leased_until is not null",
)


async def set_back(dsn):
    """Set times of the database's own clock to the second day."""
    connection = await asyncpg.connect(dsn)
    for statement in OWN_CLOCK:
        await connection.execute(statement, SECOND_DAY)
    await connection.close()


def dumped(dsn):
    """Return the database as SQL that a driver can execute: no commands of psql, no setting of one version only."""
    options = [
        "--no-owner",
        "--no-privileges",
        "--no-comments",
        f"--rows-per-insert={ROWS_AT_ONCE}",
    ]
    text = subprocess.run(
        ["pg_dump", *options, f"--dbname={dsn}"], stdout=subprocess.PIPE, text=True, check=True
    ).stdout
    dropped = re.compile(r"\\|SET transaction_timeout")
    return "".join(line for line in text.splitlines(keepends=True) if not dropped.match(line))


def written(path, text):
    """Write a gzip file that is the same for the same text."""
    path.write_bytes(gzip.compress(text.encode(), compresslevel=9, mtime=0))
    sys.stdout.write(f"{path}: {path.stat().st_size} bytes\n")


def whole(dsn, folder):
    logs.configure("WARNING", "json")
    facts = asyncio.run(make(dsn))
    asyncio.run(set_back(dsn))
    written(folder / "database.sql.gz", dumped(dsn))
    written(folder / "facts.json.gz", json.dumps(facts, indent=1, sort_keys=True))


if __name__ == "__main__":
    whole(sys.argv[1], Path(sys.argv[2]))
