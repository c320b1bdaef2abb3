"""A receiver of events for programs with real processes, and the check that every event arrived and none is two."""

import json
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from standardwebhooks import Webhook, WebhookVerificationError

from tests.chaos.loops import LoopThread
from tests.chaos.processes import Stack
from tests.support.waiting import wait_until_none_left
from tests.support.webhook_receiver import Received, Receiver, receiving

DELAY = 0.2  # seconds for each response, so that a kill during a delivery is likely


@dataclass
class Inbox:
    """The receiver, the endpoint that posts to it, and the bodies that it posted for each event."""

    receiver: Receiver = field(default_factory=Receiver)
    endpoint: dict[str, Any] = field(default_factory=dict)
    bodies: defaultdict[str, set[bytes]] = field(default_factory=lambda: defaultdict(set))

    def __post_init__(self) -> None:
        self.receiver.delay = DELAY
        self.receiver.answer = self._receive

    def subscribe(self, stack: Stack) -> None:
        """Create the endpoint for the events of all accounts."""
        made = stack.api.post("/v1/webhook-endpoints", json={"url": self.receiver.url})
        self.endpoint = made.raise_for_status().json()

    def _receive(self, post: Received) -> int:
        """Store the event if its signature is right. It is checked now, because it is valid for minutes only."""
        try:
            Webhook(self.endpoint["secret"]).verify(post.body, post.headers)
        except WebhookVerificationError:
            return 400
        self.bodies[post.headers["webhook-id"]].add(post.body)
        return 204

    def events(self) -> dict[str, dict[str, Any]]:
        """Return the received events by id. Checks that an id has always the same content."""
        for event_id, bodies in self.bodies.items():
            assert len(bodies) == 1, f"{event_id} was sent with two contents"
        return {event_id: json.loads(min(body)) for event_id, body in self.bodies.items()}

    def wait_for_deliveries(self, stack: Stack, patience: float) -> list[dict[str, Any]]:
        """Wait until every event has been delivered; return the deliveries."""
        path = f"/v1/webhook-endpoints/{self.endpoint['id']}/deliveries"
        wait_until_none_left(
            lambda: [each for each in stack.all(path) if each["status"] != "delivered"],
            "an event was not delivered",
            patience=patience,
        )
        return list(stack.all(path))


@contextmanager
def running_inbox(loop: LoopThread) -> Iterator[Inbox]:
    """Run a receiver in the loop until the block ends."""
    inbox = Inbox()
    with loop.entered(receiving(inbox.receiver)):
        yield inbox
