"""Links to the console."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import ConfigDict, Field

from app.api.schemas.base import ALWAYS_THERE, Body, Schema, Text, UserId


class ConsoleLinkIn(Body):
    """A link to the console of all accounts."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"user_id": "u_maya", "name": "Maya Lind"}]}
    )

    user_id: UserId
    """Levitate's id of the person who will use the link. The audit log has it for all that the person does."""

    name: Annotated[Text | None, Field(default=None)]
    """The person's name. The console shows it; without it, the name in the account's list of users, or the role."""


class AccountConsoleLinkIn(ConsoleLinkIn):
    """A link to the console of one account."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [{"user_id": "u_ann", "role": "account_admin", "name": "Ann Harlow"}]
        },
    )

    role: Literal["user", "account_admin", "success_manager"]
    """What the person is in Levitate. A `user` can read; the others can also change what their role allows."""


class ConsoleLink(Schema):
    """A link to the console."""

    model_config = ALWAYS_THERE

    url: str
    """Where to send the person's browser. It opens the console once."""

    expires_at: datetime
    """When the link stops working (RFC 3339, UTC): 5 minutes after it was made."""
