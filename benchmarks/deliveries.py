"""Measures how fast events are posted, and checks that the official libraries verify all of them.

    npm install --prefix /tmp/node standardwebhooks
    python -m benchmarks.deliveries --events 10000 --node /tmp/node
    python -m benchmarks.deliveries --events 0 --waiting 200000 1000000

The script starts an embedded PostgreSQL, the service without workers and a receiver on loopback. Every post is verified
with the Python library, and also with the Node library if `--node` names the folder in which it is installed. With
`--waiting` it also measures how long choosing takes while so many deliveries wait at one endpoint: 90 % of them are of
one firm, the others of 99 firms; each subject has two.
"""

import argparse
import asyncio
import json
import subprocess
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable
from pathlib import Path
from statistics import median

import asyncpg
from standardwebhooks import Webhook

from app import main as service
from app.db import migrate
from app.db.accounts import accounts
from app.db.accounts.accounts import AccountFields
from app.db.accounts.service_tokens import BOOTSTRAP_ID
from app.db.connection import Address
from app.db.events import claims, endpoints, events, turns
from app.db.events.claims import Claim
from app.db.events.endpoints import Endpoint
from app.db.events.events import Event, EventKind
from app.db.session import Database, Session, open_database
from app.simulator.http.server import Simulator
from app.sync.services import Services
from tests.chaos.processes import embedded_postgres
from tests.support.event_service import deliver_due
from tests.support.postgres import address_of
from tests.support.sessions import as_owner
from tests.support.webhook_receiver import Received, receiving
from tests.support.world import opened_world

BATCH = 200
SUBJECTS = 2000


def main() -> None:
    """Deliver the events, verify the posts and print the results."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=10_000)
    parser.add_argument("--node", type=Path)
    parser.add_argument("--waiting", type=int, nargs="*", default=[])
    arguments = parser.parse_args()
    for count in arguments.waiting:
        with embedded_postgres("waiting") as (_, dsn):
            asyncio.run(choose(dsn, count))
    if not arguments.events:
        return
    with embedded_postgres("deliveries") as (folder, dsn):
        secret, posts, seconds = asyncio.run(deliver(dsn, arguments.events))
        print(
            f"delivered          {len(posts)} in {seconds:.1f} s, {len(posts) / seconds:.0f} a second"
        )
        print(f"distinct ids       {len({post.headers['webhook-id'] for post in posts})}")
        print(f"verified, Python   {verify_with_python(secret, posts)}")
        if arguments.node:
            print(f"verified, Node     {verify_with_node(secret, posts, arguments.node, folder)}")


async def deliver(dsn: str, count: int) -> tuple[str, list[Received], float]:
    """Record `count` events and deliver them; return the secret, the posts and the seconds of the delivery."""
    database = open_database(address_of(dsn))
    await migrate.migrate(Address(dsn))
    await database.dispose()
    simulator = Simulator([], now=service.now, redirect_uris=[])
    async with (
        receiving() as receiver,
        opened_world(dsn, simulator, clock=False, workers=False) as world,
        world,
    ):
        await world.create_account()
        created = await world.api.post("/v1/webhook-endpoints", json={"url": receiver.url})
        services: Services = world.app.state.services
        for first in range(0, count, BATCH):
            batch = [
                Event(
                    f"evt_{n:032x}",
                    EventKind.CLIENT_NEW,
                    f"con_{n % SUBJECTS}",
                    {"clio_id": str(n)},
                )
                for n in range(first, min(first + BATCH, count))
            ]
            async with as_owner(services.database) as session:
                await events.record_events(session, "hp", batch, now=services.now())
        began = time.monotonic()
        await deliver_due(services)
        return created.json()["secret"], receiver.received, time.monotonic() - began


FIRM = AccountFields("Firm", "UTC", "US", None, enabled=True)
WAITING = (
    "insert into events select case when n % 10 < 9 then 'f0' else 'f' || n % 100 end, 'evt_' || n, 'client.new',"
    " 'con_' || n % (:count / 2), '{}', now() from generate_series(1, :count) n",
    "insert into deliveries (account_id, event_id, endpoint_id, delivery_id, subject, status, due_at, created_at)"
    " select account_id, event_id, 'whe', 'dlv_' || event_id, subject, 'pending', at, at from events",
)
LATER = "update deliveries set waits_for = 'retry', last_attempt_at = now(), due_at = now() + interval '1 hour'"


async def choose(dsn: str, count: int) -> None:
    """Print how long the statements of a slice take while `count` deliveries wait, untried and to be retried."""
    database = open_database(address_of(dsn))
    await migrate.migrate(Address(dsn))
    async with as_owner(database) as session:
        for number in range(100):
            await accounts.put_account(session, f"f{number}", FIRM, now=service.now())
        made = Endpoint(
            "whe", BOOTSTRAP_ID, "https://example.com/", ("*",), "", enabled=True, problem=None,
            created_at=service.now(), updated_at=service.now(),
        )  # fmt: skip
        await endpoints.add_endpoint(session, made, sealed_secret="-")  # noqa: S106
    statements = [each.replace(":count", str(count)) for each in WAITING]
    await execute(dsn, *statements, "vacuum analyze")
    await measure(database, f"{count:,} untried")
    await execute(dsn, LATER, "vacuum analyze deliveries")
    await measure(database, f"{count:,} to be retried later")
    await database.dispose()


async def execute(dsn: str, *statements: str) -> None:
    """Execute statements without the service's limit of time."""
    connection = await asyncpg.connect(dsn)
    for statement in statements:
        await connection.execute(statement)
    await connection.close()


async def measure(database: Database, waiting: str) -> None:
    """Print the median and the longest time of ten slices' statements, then of hurrying and of enabling."""
    claim = Claim("whe", "", 0, None, "", paused=False, until=service.now())
    steps: dict[str, Callable[[Session], Awaitable[object]]] = {
        "which endpoints are due": lambda s: turns.list_due_endpoints(
            s, limit=50, now=service.now()
        ),
        "retries become ready": lambda s: turns.wake(s, claim, now=service.now()),
        "choosing": lambda s: turns.next_turn(s, claim, places=16, now=service.now()),
        "when the next slice is due": lambda s: turns.next_due(s, "whe", now=service.now()),
        "hurrying": lambda s: claims.retry_now(s, "whe", now=service.now()),
        "enabling": lambda s: endpoints.enable_endpoint(s, "whe", now=service.now()),
    }
    times: dict[str, list[float]] = defaultdict(list)
    for _ in range(10):
        for name, step in steps.items():
            async with as_owner(database) as session:
                began = time.monotonic()
                await step(session)
                times[name].append(1000 * (time.monotonic() - began))
    for name, found in times.items():
        print(f"{waiting:32} {name:28} {median(found):7.1f} ms, at most {max(found):.1f} ms")


def verify_with_python(secret: str, posts: list[Received]) -> int:
    """Verify all posts with the official Python library; return their number, or raise if one is invalid."""
    webhook = Webhook(secret)
    for post in posts:
        webhook.verify(post.body, post.headers)
    return len(posts)


def verify_with_node(secret: str, posts: list[Received], node: Path, folder: Path) -> int:
    """Verify all posts with the official Node library; return their number, or raise if one is invalid."""
    file = folder / "posts.jsonl"
    lines = [json.dumps({"body": post.body.decode(), "headers": post.headers}) for post in posts]
    file.write_text("\n".join(lines))
    script = Path(__file__).with_name("verify_events.mjs")
    command = ["node", str(script), str(file), secret, str(node.resolve())]
    result = subprocess.run(command, check=True, capture_output=True, text=True)  # noqa: S603
    return int(result.stdout)


if __name__ == "__main__":
    main()
