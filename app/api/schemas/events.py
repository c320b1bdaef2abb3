"""Request and response bodies of webhook endpoints and deliveries."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, ConfigDict, Field, StringConstraints

from app.api.schemas.base import Body, CodeDetail, Moment, Schema, no_nul
from app.db.events.events import EventKind


def _kind(kind: str) -> str:
    if kind != "*" and kind not in set(EventKind):
        raise ValueError(f"is not a type of event; send * or one of {', '.join(EventKind)}")
    return kind


class WebhookEndpointIn(Body):
    """A webhook endpoint to add."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "url": "https://hooks.levitate.example/clio",
                    "events": ["*"],
                    "description": "production",
                }
            ]
        },
    )

    url: Annotated[str, StringConstraints(min_length=1, max_length=2000)]
    """The https URL on port 443 to which events are posted. At most 2,000 characters. It must lead to the public
    internet; hosts that this service is configured for may be private."""

    events: Annotated[
        list[Annotated[str, AfterValidator(_kind)]], Field(min_length=1, max_length=20)
    ] = ["*"]
    """The types of the events to send, for example `client.new`. `*` means all types, also future ones."""

    description: Annotated[
        str, StringConstraints(strip_whitespace=True, max_length=200), AfterValidator(no_nul)
    ] = ""
    """A text of your choice to recognise the endpoint by, at most 200 characters."""


class WebhookEndpointPatch(Body):
    """The changes of a webhook endpoint. What is left out or null stays as it is."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"url": "https://hooks.levitate.example/v2"}]},
    )

    url: Annotated[str, StringConstraints(min_length=1, max_length=2000)] | None = None
    """The https URL on port 443 to which events are posted, with the same rules as for a new endpoint."""

    events: (
        Annotated[list[Annotated[str, AfterValidator(_kind)]], Field(min_length=1, max_length=20)]
        | None
    ) = None
    """The types of the events to send, for example `client.new`. `*` means all types, also future ones."""

    description: (
        Annotated[
            str, StringConstraints(strip_whitespace=True, max_length=200), AfterValidator(no_nul)
        ]
        | None
    ) = None
    """A text of your choice to recognise the endpoint by, at most 200 characters."""


class WebhookEndpointTest(Schema):
    """What came back from a webhook endpoint for an event of type `ping`."""

    event_id: str
    """The id of the event, as it was sent in `webhook-id`. The event is stored nowhere."""

    succeeded: bool
    """Whether the receiver accepted the event."""

    response_status: int | None
    """The HTTP status of the response. Null if there was no response."""

    response_text: str | None
    """The beginning of the text of a response that is not 2xx, at most 300 bytes. Null for others."""

    milliseconds: int
    """How long it took from looking up the name to the end of the response."""

    problem: CodeDetail | None
    """What went wrong and what to do about it. Null if nothing did."""


class RedeliveryIn(Body):
    """Which events are sent again."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"since": "2026-03-02T00:00:00Z", "status": "failed"}]},
    )

    since: Moment
    """Only events from this time on."""

    until: Moment | None = None
    """Only events before this time. Null for all until now."""

    status: Literal["delivered", "failed"] | None = None
    """Only deliveries with this status now. Null for all that are not pending."""


class WebhookEndpoint(Schema):
    """A webhook endpoint: a URL to which events are posted."""

    id: str
    """The id of the endpoint (`whe_…`)."""

    url: str
    """The URL to which events are posted."""

    events: list[str]
    """The types of the events that it receives. `*` means all types, also future ones."""

    description: str
    """The text that was given when it was added. Empty if none was given."""

    status: Literal["enabled", "disabled"]
    """`enabled`: events are posted. `disabled`: nothing is posted, and events wait for at most 30 days until somebody
    enables it again."""

    problem: CodeDetail | None
    """Why the endpoint was disabled. Null while it is enabled."""

    paused_until: datetime | None
    """Until when nothing is posted, because the receiver has accepted nothing in several attempts (RFC 3339, UTC). Then
    one event is tried; while that is under way, the time is in the past. A test that succeeds ends the pause. Null if
    there is no pause."""

    created_at: datetime
    """When the endpoint was added (RFC 3339, UTC)."""

    updated_at: datetime
    """When it was last changed, enabled or disabled or got a new secret (RFC 3339, UTC)."""


class WebhookEndpointWithSecret(WebhookEndpoint):
    """A webhook endpoint and its new secret. The secret is shown only in this response."""

    secret: Annotated[str, Field(repr=False)]
    """The secret that signs the events (`whsec_…`, Standard Webhooks). Store it now: it cannot be read again."""


class Delivery(Schema):
    """The delivery of one event to one webhook endpoint."""

    id: str
    """The id of the delivery (`dlv_…`)."""

    endpoint_id: str
    """The id of the webhook endpoint."""

    account_id: str
    """Levitate's id of the account that the event is about."""

    event_id: str
    """The id of the event. Every attempt sends it as `webhook-id`, so that the receiver can ignore repetitions."""

    type: str
    """The type of the event, for example `client.new`."""

    status: Literal["pending", "delivered", "failed"]
    """`pending`: not delivered yet, it is tried again. `delivered`: the receiver accepted the event. `failed`: it was
    tried for three days without success."""

    attempts: int
    """The number of attempts, counted again from 0 after a redelivery and when the endpoint is enabled again."""

    response_status: int | None
    """The HTTP status of the last response. Null before the first attempt and if there was no response."""

    problem: CodeDetail | None
    """What went wrong in the last attempt. Null if nothing did."""

    created_at: datetime
    """When the event happened (RFC 3339, UTC)."""

    last_attempt_at: datetime | None
    """When the event was last sent (RFC 3339, UTC). Null before the first attempt."""

    next_attempt_at: datetime | None
    """The earliest time of the next attempt (RFC 3339, UTC). Null unless the delivery is pending."""

    delivered_at: datetime | None
    """When the receiver accepted the event (RFC 3339, UTC). Null until then."""


class Event(Schema):
    """An event: a notice that something happened, with ids only. It is what a webhook endpoint gets."""

    id: str
    """The id of the event (`evt_…`). It is the `webhook-id` of its deliveries."""

    type: str
    """The type of the event, for example `client.new`. Ignore types that you do not know."""

    timestamp: datetime
    """When it happened (RFC 3339, UTC)."""

    data: dict[str, Any]
    """`account_id`, and ids and plain words that depend on the type. No names and no addresses."""


class EventPage(Schema):
    """A page of the events, in order. Store `next_cursor` after each page and start the next request from it."""

    data: list[Event]
    """The events after the cursor. With a filter a page can be empty although more follow."""

    next_cursor: str
    """The cursor to start the next request from. It is never null, also on an empty page."""

    has_more: bool
    """Whether more events may follow at once."""
