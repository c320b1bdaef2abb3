"""Starts the receiver: `python -m receiver`. It may be killed at any time; the next start goes on."""

import asyncio
import logging
import math
import os
from contextlib import AsyncExitStack

import uvicorn
from levitate_clio import AsyncClio, Retries

from receiver.following import Follower
from receiver.held import Desk
from receiver.mail import FakeMailSystem, send_always
from receiver.store import Store
from receiver.web import Web, create_app


async def main() -> None:
    """Run until SIGTERM or an error that does not pass. Let your supervisor start it again then."""
    url, token = os.environ["LEVITATE_URL"], os.environ["LEVITATE_TOKEN"]
    account, path = os.environ["LEVITATE_ACCOUNT"], os.environ["RECEIVER_DATABASE"]
    secrets, password = os.environ["RECEIVER_WEBHOOK_SECRETS"], os.environ["RECEIVER_PASSWORD"]
    store, changed = Store(path), asyncio.Event()
    async with AsyncExitStack() as clients, asyncio.TaskGroup() as tasks:
        # A page gives up after ten seconds; who follows waits for the end of every outage.
        brisk = await clients.enter_async_context(AsyncClio(url, token, retries=Retries(10)))
        patient = await clients.enter_async_context(
            AsyncClio(url, token, retries=Retries(math.inf))
        )
        follower = Follower(patient, account, store, changed)
        work = [
            tasks.create_task(follower.follow_changes()),
            tasks.create_task(follower.follow_events()),
            tasks.create_task(send_always(store, FakeMailSystem(f"{path}.mail"), changed)),
        ]
        app = create_app(Web(Desk(brisk, account, store), secrets.split(","), password, changed))
        port = int(os.environ.get("RECEIVER_PORT", "8010"))
        await uvicorn.Server(uvicorn.Config(app, port=port)).serve()
        for task in work:
            task.cancel()


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO)
    asyncio.run(main())
