"""Measure how fast events are posted, and check that the official libraries verify every one of them.

    npm install --prefix /tmp/node standardwebhooks
    python -m benchmarks.deliveries --events 10000 --node /tmp/node

Starts an embedded PostgreSQL, the service without workers and a receiver on loopback; every post is verified with the
Python library, and with Node's where `--node` names the folder that it is installed in.
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
from tests.chaos.processes import on_embedded
from tests.support.webhook_receiver import Received, receiving
from tests.support.world import opened_world

BATCH = 200
SUBJECTS = 2000


def main() -> None:
    """Deliver, verify, and print what it took."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=10_000)
    parser.add_argument("--node", type=Path)
    asked = parser.parse_args()
    with on_embedded("deliveries") as (folder, dsn):
        secret, posts, seconds = asyncio.run(delivered(dsn, asked.events))
        print(
            f"delivered          {len(posts)} in {seconds:.1f} s, {len(posts) / seconds:.0f} a second"
        )
        print(f"different ids      {len({post.headers['webhook-id'] for post in posts})}")
        print(f"verified, Python   {verified_by_python(secret, posts)}")
        if asked.node:
            print(f"verified, Node     {verified_by_node(secret, posts, asked.node, folder)}")


async def delivered(dsn: str, wanted: int) -> tuple[str, list[Received], float]:
    """Record so many events and deliver them; answers the secret, the posts, and the seconds it took."""
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
        made = await world.api.post("/v1/webhook-endpoints", json={"url": receiver.url})
        services: Services = world.app.state.services
        for first in range(0, wanted, BATCH):
            found = [
                Event(
                    f"evt_{n:032x}",
                    EventKind.CLIENT_NEW,
                    f"con_{n % SUBJECTS}",
                    {"clio_id": str(n)},
                )
                for n in range(first, min(first + BATCH, wanted))
            ]
            async with transaction(services.database) as session:
                await events.record_events(session, "hp", found, now=services.now())
        began = time.monotonic()
        await relay.deliver_due(services)
        return made.json()["secret"], receiver.received, time.monotonic() - began


def verified_by_python(secret: str, posts: list[Received]) -> int:
    """Return the number of posts, all verified by the official Python library; raise if it refuses one."""
    webhook = Webhook(secret)
    for post in posts:
        webhook.verify(post.body, post.headers)
    return len(posts)


def verified_by_node(secret: str, posts: list[Received], node: Path, folder: Path) -> int:
    """Return the number of posts, all verified by the official Node library; raise if it refuses one."""
    file = folder / "posts.jsonl"
    lines = [json.dumps({"body": post.body.decode(), "headers": post.headers}) for post in posts]
    file.write_text("\n".join(lines))
    script = Path(__file__).with_name("verify_events.mjs")
    command = ["node", str(script), str(file), secret, str(node.resolve())]
    done = subprocess.run(command, check=True, capture_output=True, text=True)  # noqa: S603
    return int(done.stdout)


if __name__ == "__main__":
    main()
