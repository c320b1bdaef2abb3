"""Request and response bodies of connections."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import AnyHttpUrl, BaseModel, ConfigDict, Field

from app.api.schemas.base import ALWAYS_THERE, CodeDetail, In, UserId
from app.clio.regions import Region


class ConnectionIn(In):
    """A request to connect a user's Clio login."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "user_id": "u_ann",
                    "region": "us",
                    "return_url": "https://app.levitate.example/integrations",
                }
            ]
        },
    )

    user_id: UserId
    region: Region
    return_url: Annotated[AnyHttpUrl, Field(max_length=2000)]


class Started(BaseModel):
    """A pending connection. Send the user's browser to `authorize_url` before `expires_at`."""

    model_config = ALWAYS_THERE

    id: str
    status: Literal["pending"] = "pending"
    authorize_url: str
    expires_at: datetime


class ClioUser(BaseModel):
    """The Clio user that a connection acts as."""

    id: str
    name: str | None
    email: str | None


class Connection(BaseModel):
    """A Levitate user's authorisation to use a Clio login. It never contains a token."""

    id: str
    user_id: str
    region: Region
    status: Literal["pending", "connected", "needs_reconnect", "disconnected", "declined"]
    clio_user: ClioUser | None
    connected_at: datetime | None
    last_sync_at: datetime | None
    problem: CodeDetail | None
