"""Delivery of events to webhook endpoints, in slices, and the secrets that sign each post.

Other folders use the functions listed in `__all__`. Writing events does not belong here: each step does that in the
transaction of its change, with `app/db/events/`.
"""

from app.sync.events.due_endpoints import LOOK_SECONDS, queue_due_endpoints
from app.sync.events.endpoint_secrets import rotate_secret, seal_secret
from app.sync.events.endpoint_slice import serve_endpoint
from app.sync.events.ping import ping

__all__ = [
    "LOOK_SECONDS",
    "ping",
    "queue_due_endpoints",
    "rotate_secret",
    "seal_secret",
    "serve_endpoint",
]
