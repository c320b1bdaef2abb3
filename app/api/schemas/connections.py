"""Request and response bodies of connections."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import AnyHttpUrl, ConfigDict, Field

from app.api.schemas.base import ALWAYS_THERE, Body, CodeDetail, Schema, UserId
from app.clio.regions import Region


class ConnectionIn(Body):
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
    """Levitate's id of the user who will connect. The user must be in the account's list of users."""

    region: Region
    """Clio's region in which the firm has its data."""

    return_url: Annotated[AnyHttpUrl, Field(max_length=2000)]
    """Where the browser goes at the end, with `clio=connected` or `clio=<code>` added to the query. Its origin must be
    one that this service is configured for. At most 2,000 characters."""


class StartedConnection(Schema):
    """The start of a connection. Send the user's browser to `authorize_url` before `expires_at`."""

    model_config = ALWAYS_THERE

    id: str
    """The id of the connection. A user who connects again keeps the same connection."""

    status: Literal["pending"] = "pending"
    """Always `pending`: the user has not answered yet. A connection that works keeps working meanwhile."""

    authorize_url: str
    """An address of this service that leads the browser to Clio's page, where the user allows access. It may be opened
    more than once; the user must finish in the same browser."""

    expires_at: datetime
    """When `authorize_url` stops working, ten minutes after the request (RFC 3339, UTC)."""


class ConnectLinkIn(Body):
    """A request for a link with which a user can connect a Clio login."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "user_id": "u_ann",
                    "region": "us",
                    "return_url": "https://app.levitate.example/integrations",
                    "expires_in_days": 7,
                }
            ]
        },
    )

    user_id: UserId
    """Levitate's id of the user who will connect. The user must be in the account's list of users."""

    region: Region
    """Clio's region in which the firm has its data."""

    return_url: Annotated[AnyHttpUrl, Field(max_length=2000)]
    """Where the browser goes after each attempt, as for a connection."""

    expires_in_days: Annotated[int, Field(ge=1, le=14)] = 7
    """For how many days the link works, 1 to 14."""


class ConnectLink(Schema):
    """A link for a user. Its page names the firm and the user and begins to connect in the browser that opens it."""

    model_config = ALWAYS_THERE

    id: str
    """The id of the link (`lnk_…`)."""

    url: str
    """The address to send to the user. It is shown once, and may be opened often until the link ends."""

    expires_at: datetime
    """When the link stops working (RFC 3339, UTC)."""


class ClioUser(Schema):
    """The Clio user that a connection acts as."""

    id: str
    """Clio's id of the user."""

    name: str | None
    """The user's name in Clio. Null if Clio does not give one."""

    email: str | None
    """The user's email address in Clio. Null if Clio does not show one."""


class Connection(Schema):
    """A Levitate user's authorisation to use a Clio login. It never contains a token."""

    id: str
    """The id of the connection (`cnx_…`). A user has at most one connection in an account."""

    user_id: str
    """Levitate's id of the user."""

    region: Region
    """Clio's region of the login."""

    status: Literal["pending", "connected", "needs_reconnect", "disconnected", "declined"]
    """`pending`: the user has not finished on Clio's page. `connected`: it works. `needs_reconnect`: Clio no longer
    accepts the login, and the user must connect again. `disconnected`: somebody ended it, or connecting failed.
    `declined`: the user refused access on Clio's page."""

    clio_user: ClioUser | None
    """The Clio user that the login belongs to. Null until the user has connected once."""

    connected_at: datetime | None
    """When the user last allowed access (RFC 3339, UTC). Null until then."""

    last_sync_at: datetime | None
    """When a run last read everything that this login sees (RFC 3339, UTC). Null until then."""

    problem: CodeDetail | None
    """What is wrong with the connection and what to do about it. Null if nothing is wrong."""
