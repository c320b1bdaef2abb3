"""Request and response bodies of accounts, users and attorneys."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import AfterValidator, ConfigDict, Field, JsonValue, StringConstraints

from app.api.schemas.base import Body, Country, In, Schema, Text, TimeZone, UserId, printable
from app.clio.regions import Region

Publish = Literal["automatic", "after_review"]

_EXAMPLE: dict[str, JsonValue] = {
    "name": "Harlow & Pike LLP",
    "time_zone": "America/New_York",
    "country": "US",
    "primary_user_id": "u_off",
    "enabled": True,
}


class AccountIn(Body):
    """The account to create, or all of its fields to change."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [_EXAMPLE]},
    )

    name: Text
    """The name of the firm."""

    time_zone: TimeZone
    """The firm's time zone: one of the IANA database that names a place, for example `America/New_York`, or `UTC`.
    Scheduled runs and the dates of notes use it."""

    country: Country
    """The firm's country (ISO 3166 alpha-2). Phone numbers without a country code belong to it."""

    primary_user_id: UserId | None = None
    """Levitate's id of the user who owns contacts without an attorney, if the settings say so. Null for nobody."""

    enabled: bool
    """Whether the integration is on. While it is off, no new work with Clio starts; all data is kept."""

    publish: Publish | None = None
    """How contacts reach Levitate for the first time. `automatic`: as the first run reads them. `after_review`: the
    first run ends in a hold of kind `first_publication`, and nobody is published before a person releases it. It counts
    when the first run begins; after the release of the whole hold it has no effect. Leave it out to keep it; a new
    account is `automatic`."""


class ClioFirm(Schema):
    """The firm in Clio that an account is linked to. The first login that is connected decides which one it is."""

    region: Region
    """Clio's region in which the firm has its data."""

    account_id: str
    """Clio's id of the firm."""

    name: str | None
    """The name of the firm in Clio. Null if Clio does not give one."""


class Account(AccountIn):
    """An account: one law firm that is a customer of Levitate."""

    model_config = ConfigDict(
        json_schema_serialization_defaults_required=True,
        json_schema_extra={
            "examples": [
                {
                    **_EXAMPLE,
                    "publish": "automatic",
                    "id": "hp",
                    "clio": {"region": "us", "account_id": "31415", "name": "Harlow & Pike LLP"},
                    "created_at": "2026-03-02T09:00:00Z",
                    "updated_at": "2026-03-02T09:00:00Z",
                }
            ]
        },
    )

    time_zone: str
    """The firm's time zone. Older accounts may have one that can no longer be chosen; one that is unknown counts as
    UTC."""

    id: str
    """Levitate's id of the account, as in the path."""

    publish: Publish
    """How contacts reach Levitate for the first time: `automatic`, or `after_review` by a person."""

    clio: ClioFirm | None
    """The firm in Clio. Null until the first login is connected."""

    created_at: datetime
    """When the account was created (RFC 3339, UTC)."""

    updated_at: datetime
    """When the account was last saved with `PUT` or `PATCH` (RFC 3339, UTC)."""


class User(In):
    """A Levitate user of the firm."""

    id: UserId
    """Levitate's id of the user: 1 to 128 printable characters."""

    name: Text
    """The user's full name."""

    email: Annotated[
        str, StringConstraints(strip_whitespace=True, max_length=254), AfterValidator(printable)
    ]
    """The user's email address. A Clio user with the same address is mapped to this user. Empty if there is none."""

    active: bool
    """Whether the user works in Levitate. Only active users can own contacts."""


class UsersIn(Body):
    """The complete list of the firm's Levitate users. It replaces the stored list."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "users": [
                        {
                            "id": "u_ann",
                            "name": "Ann Harlow",
                            "email": "ann@harlowpike.example",
                            "active": True,
                        }
                    ]
                }
            ]
        },
    )

    users: Annotated[list[User], Field(max_length=10_000)]
    """All Levitate users of the firm, at most 10,000. Users who are not in this list are removed."""


class UserList(Schema):
    """The stored list of the firm's Levitate users."""

    users: list[User]
    """All Levitate users of the firm, sorted by id."""


class AttorneyIn(Body):
    """The Levitate user that a Clio user is mapped to. Null maps the Clio user to nobody."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"user_id": "u_ann"}]}
    )

    user_id: UserId | None
    """Levitate's id of the user. Null maps the Clio user to nobody, even if an email address matches."""


class Attorney(Schema):
    """A Clio user of the firm, the Levitate user it is mapped to, and how the mapping was made."""

    clio_user_id: str
    """Clio's id of the user."""

    name: str | None
    """The user's name in Clio. Null if Clio has not shown it yet."""

    email: str | None
    """The user's email address in Clio. Null if Clio has not shown one."""

    enabled: bool | None
    """Whether the user is active in Clio. Null if Clio has not said so yet."""

    user_id: str | None
    """Levitate's id of the user it is mapped to. Null if it is mapped to nobody."""

    mapped_by: Literal["manual", "connection", "email"] | None
    """How the mapping was made: by a person (`manual`), because the Levitate user connected this Clio login
    (`connection`), or by equal email addresses (`email`). Null if there is no mapping."""

    contacts: int
    """The number of contacts in scope who have a matter of which this Clio user is the responsible or originating
    attorney."""
