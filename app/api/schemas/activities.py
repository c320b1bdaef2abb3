"""Request and response bodies of activities."""

from datetime import UTC, datetime
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    AwareDatetime,
    ConfigDict,
    Field,
    StringConstraints,
    WithJsonSchema,
    model_validator,
)

from app.api.schemas.base import Body, CodeDetail, Schema, UserId, no_nul

MAX_SUBJECT_LENGTH = 1000  # characters
EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)


def _sensible(moment: datetime) -> datetime:
    if moment < EARLIEST:
        raise ValueError("must not be before 1970; send the time at which it happened")
    return moment


def _short(text: str) -> str:
    if len(text) > MAX_SUBJECT_LENGTH:
        raise ValueError(f"is too long; send at most {MAX_SUBJECT_LENGTH} characters")
    return text


# A constraint of pydantic would refuse half a character, which the write-back cleans away [row 52].
Line = Annotated[
    str, AfterValidator(_short), Field(json_schema_extra={"maxLength": MAX_SUBJECT_LENGTH})
]
Name = Annotated[str, StringConstraints(min_length=1, max_length=200), AfterValidator(no_nul)]


class ActivityIn(Body):
    """An activity of a Levitate user, to be recorded in Clio.

    Identify the contact by `contact_id` or by `clio_contact_id`. The date of the note in Clio is the local date of
    `occurred_at` in the account's time zone. HTML is converted to plain text. A text longer than 59,000 bytes is cut,
    and its last line says that it was cut. Text messages with the same `conversation_id` and local date share one
    record in Clio: the latest request replaces its text.
    """

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "kind": "email",
                    "user_id": "u_ann",
                    "contact_id": "con_0f3a",
                    "occurred_at": "2026-03-02T23:30:00-05:00",
                    "subject": "Your closing date",
                    "body": "<p>Dear Alice, we close on Friday.</p>",
                    "body_format": "html",
                    "direction": "outbound",
                }
            ]
        },
    )

    kind: Name
    """What the user did: `email`, `note`, `phone_call`, `handwritten_card` or `text_message`. Another value gets 422
    `unknown_activity_kind`."""

    user_id: UserId
    """Levitate's id of the user who did it. The record in Clio is written with this user's login."""

    contact_id: Name | None = None
    """Our id of the contact (`con_…`). Null if `clio_contact_id` is given."""

    clio_contact_id: Annotated[str, StringConstraints(pattern=r"^[1-9]\d{0,17}$")] | None = None
    """Clio's id of the contact. Null if `contact_id` is given. If both are given, they must name the same contact; else
    the request gets 422 `contact_mismatch`."""

    occurred_at: Annotated[AwareDatetime, AfterValidator(_sensible)]
    """When it happened (RFC 3339 with an offset): not before 1970, and not more than 24 hours ahead."""

    subject: Line = ""
    """The subject line, at most 1,000 characters; 200 reach Clio. If it is empty, the first line of the text is used.
    Text messages have a fixed subject."""

    body: str = ""
    """The text, as plain text or HTML. Up to 59,000 bytes of it reach Clio, without NUL and halves of characters."""

    body_format: Literal["text", "html"] = "text"
    """The format of `body`: `text`, or `html`, which is converted to plain text."""

    direction: Literal["outbound", "inbound"] | None = None
    """`outbound`: sent to the contact. `inbound`: received from the contact. Null if it does not apply."""

    conversation_id: Name | None = None
    """The conversation of a text message, at most 200 characters. Null for none. Other kinds ignore it."""

    @model_validator(mode="after")
    def _names_a_contact(self) -> Self:
        if self.contact_id is None and self.clio_contact_id is None:
            raise ValueError("must name the contact; send contact_id or clio_contact_id")
        return self


class ActivityBatch(Body):
    """Activities of Levitate users, each as for `POST …/activities`."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [{"activities": ActivityIn.model_config["json_schema_extra"]["examples"]}]  # type: ignore[index]
        },
    )

    activities: Annotated[
        list[Annotated[Any, WithJsonSchema({"$ref": "#/components/schemas/ActivityIn"})]],
        Field(min_length=1, max_length=100),
    ]
    """The activities, 1 to 100. Each is checked by itself, so that one that is wrong does not stop the others."""


class ClioRecord(Schema):
    """The record in Clio that an activity became."""

    type: Literal["note", "communication"]
    """The kind of record: `communication` for text messages, `note` for all other activities."""

    id: str
    """Clio's id of the record."""

    url: str
    """The page in Clio of the contact that the record belongs to."""


class Activity(Schema):
    """An activity, and how far it is on its way to Clio."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "id": "act_019a2b",
                    "kind": "email",
                    "status": "written",
                    "reason": None,
                    "attempts": 1,
                    "clio": {
                        "type": "note",
                        "id": "7001",
                        "url": "https://app.clio.com/nc/#/contacts/1001",
                    },
                    "problem": None,
                    "created_at": "2026-03-03T04:30:02Z",
                    "written_at": "2026-03-03T04:30:03Z",
                    "user_id": "u_ann",
                    "contact_id": "con_0f3a",
                    "clio_contact_id": "1001",
                }
            ]
        }
    )

    id: str
    """The id of the activity (`act_…`)."""

    kind: Literal["email", "note", "phone_call", "handwritten_card", "text_message"]
    """What the user did."""

    status: Literal["queued", "sending", "written", "skipped", "blocked", "failed", "cancelled"]
    """`queued`: it waits to be sent. `sending`: it is being sent, or this service checks if Clio has it. `written`:
    Clio has it. `skipped`: it is never written. `blocked`: the author must connect to Clio first, or be in the
    directory of users: see `reason`. `failed`: it is not tried again by itself. `cancelled`: somebody cancelled it."""

    reason: str | None
    """A stable code that explains the status, for example `not_linked` or `needs_connection`. Null if none is
    needed."""

    attempts: int
    """How often it was sent to Clio."""

    clio: ClioRecord | None
    """The record in Clio. Null until it is written."""

    problem: CodeDetail | None
    """What is wrong and what to do about it; its code is `reason`. Null if nothing is wrong."""

    created_at: datetime
    """When the activity was accepted (RFC 3339, UTC)."""

    written_at: datetime | None
    """When it was certain that Clio has it (RFC 3339, UTC). Null until then."""

    user_id: str
    """Levitate's id of the user who did it."""

    contact_id: str | None
    """Our id of the contact. Null if the request gave only a Clio id that is not known here."""

    clio_contact_id: str | None
    """Clio's id of the contact. Null if the request gave only an id of ours that is not known here."""
