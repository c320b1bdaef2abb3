"""Request and response bodies of activities."""

from datetime import datetime
from typing import Annotated, Literal, Self

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    model_validator,
)

from app.api.schemas.base import CodeDetail, In, UserId, no_nul

EARLIEST, LATEST = 1970, 2200  # years, both excluded; local dates outside them have no meaning


def _sensible(moment: datetime) -> datetime:
    if not EARLIEST < moment.year < LATEST:
        raise ValueError(f"must be in the years {EARLIEST + 1} to {LATEST - 1}")
    return moment


Line = Annotated[str, StringConstraints(max_length=1000), AfterValidator(no_nul)]
Name = Annotated[str, StringConstraints(min_length=1, max_length=200), AfterValidator(no_nul)]


class ActivityIn(In):
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

    kind: Annotated[
        Name, Field(description="email, note, phone_call, handwritten_card or text_message")
    ]
    user_id: UserId
    contact_id: Name | None = None
    clio_contact_id: Annotated[str, StringConstraints(pattern=r"^[1-9]\d{0,17}$")] | None = None
    occurred_at: Annotated[AwareDatetime, AfterValidator(_sensible)]
    subject: Line = ""
    body: Annotated[str, AfterValidator(no_nul)] = ""
    body_format: Literal["text", "html"] = "text"
    direction: Literal["outbound", "inbound"] | None = None
    conversation_id: Name | None = None

    @model_validator(mode="after")
    def _names_a_contact(self) -> Self:
        if self.contact_id is None and self.clio_contact_id is None:
            raise ValueError("name the contact by contact_id or clio_contact_id")
        return self


class InClio(BaseModel):
    """The record in Clio. `url` opens the contact that the record belongs to."""

    type: Literal["note", "communication"]
    id: str
    url: str


class Activity(BaseModel):
    """An activity and its status. `reason` is a stable code; `problem` explains it in plain words."""

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
    kind: Literal["email", "note", "phone_call", "handwritten_card", "text_message"]
    status: Literal["queued", "sending", "written", "skipped", "blocked", "failed", "cancelled"]
    reason: str | None
    attempts: int
    clio: InClio | None
    problem: CodeDetail | None
    created_at: datetime
    written_at: datetime | None
    user_id: str
    contact_id: str | None
    clio_contact_id: str | None
