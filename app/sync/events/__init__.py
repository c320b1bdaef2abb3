"""Delivery of events to webhook endpoints: the relay, and the secrets that sign each post.

Other folders use the functions listed in `__all__`. Writing events does not belong here: each step does that in the
transaction of its change, with `app/db/events/`.
"""

from app.sync.events.endpoint_secrets import rotate_secret, seal_text_of
from app.sync.events.endpoint_slice import serve_endpoint
from app.sync.events.relay import relay_events

__all__ = ["relay_events", "rotate_secret", "seal_text_of", "serve_endpoint"]
