"""A receiver of events for programs with real processes, and the check that every event arrived and none is two."""

import json
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from standardwebhooks import Webhook

from tests.chaos.loops import LoopThread
from tests.chaos.processes import Stack
from tests.support.webhook_receiver import Receiver, receiving

DELAY = 0.2  # seconds for each response, so that a kill during a delivery is likely


@dataclass
class Inbox:
    """The receiver, and the endpoint that posts to it."""

    receiver: Receiver
    endpoint: dict[str, Any] = field(default_factory=dict)

    def subscribe(self, stack: Stack) -> None:
        """Create the endpoint for the events of all accounts."""
        made = stack.api.post("/v1/webhook-endpoints", json={"url": self.receiver.url})
        self.endpoint = made.raise_for_status().json()

    def events(self) -> dict[str, dict[str, Any]]:
        """Return the received events by id. Checks their signatures, and that an id has always the same content."""
        webhook, bodies = Webhook(self.endpoint["secret"]), defaultdict[str, set[bytes]](set)
        for post in self.receiver.received:
            webhook.verify(post.body, post.headers)
            bodies[post.headers["webhook-id"]].add(post.body)
        assert all(len(each) == 1 for each in bodies.values()), (
            "an event was sent with two contents"
        )
        return {event_id: json.loads(min(body)) for event_id, body in bodies.items()}

    def wait_for_deliveries(self, stack: Stack, patience: float) -> list[dict[str, Any]]:
        """Wait until every event has been delivered; return the deliveries."""
        path = f"/v1/webhook-endpoints/{self.endpoint['id']}/deliveries"
        deadline = time.monotonic() + patience
        while True:
            found = list(stack.all(path))
            late = [each for each in found if each["status"] != "delivered"]
            if not late:
                return found
            assert time.monotonic() < deadline, f"{len(late)} are not delivered: {late[:3]}"
            time.sleep(0.5)


@contextmanager
def running_inbox(loop: LoopThread) -> Iterator[Inbox]:
    """Run a receiver in the loop until the block ends."""
    with loop.entered(receiving(delay=DELAY)) as receiver:
        yield Inbox(receiver)
