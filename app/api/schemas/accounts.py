"""Request and response bodies of accounts, users and attorneys."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, JsonValue, StringConstraints

from app.api.schemas.base import Country, In, Text, TimeZone, UserId, no_nul
from app.clio.regions import Region

_EXAMPLE: dict[str, JsonValue] = {
    "name": "Harlow & Pike LLP",
    "time_zone": "America/New_York",
    "country": "US",
    "primary_user_id": "u_off",
    "enabled": True,
}


class AccountIn(In):
    """An account: one law firm that is a customer of Levitate."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [_EXAMPLE]},
    )

    name: Text
    time_zone: TimeZone
    country: Country
    primary_user_id: UserId | None = None
    enabled: bool


class ClioFirm(BaseModel):
    """The Clio firm that the account is linked to."""

    region: Region
    account_id: str
    name: str | None


class Account(AccountIn):
    """An account. `clio` is null until the first login is connected."""

    model_config = ConfigDict(
        json_schema_serialization_defaults_required=True,
        json_schema_extra={
            "examples": [
                {
                    **_EXAMPLE,
                    "id": "hp",
                    "clio": {"region": "us", "account_id": "31415", "name": "Harlow & Pike LLP"},
                    "created_at": "2026-03-02T09:00:00Z",
                    "updated_at": "2026-03-02T09:00:00Z",
                }
            ]
        },
    )

    id: str
    clio: ClioFirm | None
    created_at: datetime
    updated_at: datetime


class User(In):
    """A Levitate user of the firm."""

    id: UserId
    name: Text
    email: Annotated[
        str, StringConstraints(strip_whitespace=True, max_length=254), AfterValidator(no_nul)
    ]
    active: bool


class UsersIn(In):
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


class Users(BaseModel):
    """The stored list of the firm's Levitate users."""

    users: list[User]


class AttorneyIn(In):
    """The Levitate user that a Clio user is mapped to. Null maps the Clio user to nobody."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"user_id": "u_ann"}]}
    )

    user_id: UserId | None


class Attorney(BaseModel):
    """A Clio user of the firm, the Levitate user it is mapped to, and how the mapping was made."""

    clio_user_id: str
    name: str | None
    email: str | None
    enabled: bool | None
    user_id: str | None
    mapped_by: Literal["manual", "connection", "email"] | None


class Attorneys(BaseModel):
    """The Clio users of the firm."""

    data: list[Attorney]
