"""Request and response bodies of webhook endpoints and deliveries."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

from app.api.schemas.base import CodeDetail, In, no_nul
from app.db.events.events import EventKind


def _kind(kind: str) -> str:
    if kind != "*" and kind not in set(EventKind):
        raise ValueError(f"must be * or one of {', '.join(EventKind)}")
    return kind


class EndpointIn(In):
    """A webhook endpoint to add. `events` lists the event types to send; `*` means all types, including future ones."""

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
    events: Annotated[
        list[Annotated[str, AfterValidator(_kind)]], Field(min_length=1, max_length=20)
    ] = ["*"]
    description: Annotated[
        str, StringConstraints(strip_whitespace=True, max_length=200), AfterValidator(no_nul)
    ] = ""


class Endpoint(BaseModel):
    """A webhook endpoint. `problem` says why it is disabled."""

    id: str
    url: str
    events: list[str]
    description: str
    status: Literal["enabled", "disabled"]
    problem: CodeDetail | None
    created_at: datetime
    updated_at: datetime


class EndpointWithSecret(Endpoint):
    """A webhook endpoint and its new secret. The secret is shown only in this response."""

    secret: str


class Delivery(BaseModel):
    """The delivery of one event to one endpoint. `event_id` is the `webhook-id` of every attempt."""

    id: str
    endpoint_id: str
    account_id: str
    event_id: str
    type: str
    status: Literal["pending", "delivered", "failed"]
    attempts: int
    response_status: int | None
    problem: CodeDetail | None
    created_at: datetime
    last_attempt_at: datetime | None
    next_attempt_at: datetime | None
    delivered_at: datetime | None
