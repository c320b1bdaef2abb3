"""Measures how fast events are posted, and checks that the official libraries verify all of them.

    npm install --prefix /tmp/node standardwebhooks
    python -m benchmarks.deliveries --events 10000 --node /tmp/node

The script starts an embedded PostgreSQL, the service without workers and a receiver on loopback. Every post is verified
with the Python library, and also with the Node library if `--node` names the folder in which it is installed.
"""

import argparse
import asyncio
import json
import subprocess
import time
from pathlib import Path

from standardwebhooks import Webhook

from app import main as service
from app.db import migrate
from app.db.events import events
from app.db.events.events import Event, EventKind
from app.db.session import open_database, transaction
from app.simulator.http.server import Simulator
from app.sync.events import relay
from app.sync.services import Services
from tests.chaos.processes import embedded_postgres
from tests.support.webhook_receiver import Received, receiving
from tests.support.world import opened_world

BATCH = 200
SUBJECTS = 2000


def main() -> None:
    """Deliver the events, verify the posts and print the results."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=10_000)
    parser.add_argument("--node", type=Path)
    arguments = parser.parse_args()
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
    database = open_database(dsn)
    await migrate.migrate(database)
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
            async with transaction(services.database) as session:
                await events.record_events(session, "hp", batch, now=services.now())
        began = time.monotonic()
        await relay.deliver_due(services)
        return created.json()["secret"], receiver.received, time.monotonic() - began


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
