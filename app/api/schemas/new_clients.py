"""Request and response bodies of decisions about many new clients."""

from typing import Annotated, Literal, Self

from pydantic import ConfigDict, Field, StringConstraints, model_validator

from app.api.schemas.base import Body, In, Moment, Schema

NewClientId = Annotated[str, StringConstraints(pattern=r"^[\w-]{1,64}$")]


class NewClientFilter(In):
    """The held new clients that are meant. Without a field it means all of them."""

    status: Literal["held"] = "held"
    """Only `held`: nobody else waits for a decision."""

    origin: Literal["initial_sync", "incremental", "visibility", "settings", "manual"] | None = None
    """Only new clients of this origin."""

    run_id: Annotated[str, StringConstraints(pattern=r"^[\w-]{1,64}$")] | None = None
    """Only new clients that this run found."""

    since: Moment | None = None
    """Only new clients whose `created_at` is not before this time."""

    until: Moment | None = None
    """Only new clients whose `created_at` is before this time."""


class ManyNewClients(Body):
    """A decision about many new clients that are held. Name them by `ids`, or describe them by `filter`."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {"action": "release", "filter": {"origin": "initial_sync"}},
                {"action": "suppress", "ids": ["ncl_0f3a"]},
            ]
        },
    )

    action: Literal["release", "suppress"]
    """`release`: the event `client.new` of each is sent. `suppress`: they are never announced."""

    ids: Annotated[list[NewClientId], Field(min_length=1, max_length=10_000)] | None = None
    """The ids of the new clients (`ncl_…`), 1 to 10,000. Null if `filter` is given."""

    filter: NewClientFilter | None = None
    """Which held new clients are meant. Null if `ids` are given."""

    @model_validator(mode="after")
    def _says_which(self) -> Self:
        if (self.ids is None) == (self.filter is None):
            raise ValueError("must have either ids or filter; send one of them")
        return self


class SkippedNewClient(Schema):
    """A new client that was named by its id and is not decided."""

    id: str
    """The id as it was sent."""

    code: str
    """Why it is skipped: `new_client_not_held` if it was decided before, `new_client_not_found` if there is none."""


class DecidedNewClients(Schema):
    """What was decided. Nobody is decided who was found after the request was accepted."""

    done: int
    """How many are decided: at most 500."""

    remaining: int
    """How many more of the set follow within a minute."""

    skipped: list[SkippedNewClient]
    """Those of `ids` that are not decided. Empty for a filter."""

    has_more: bool
    """Whether the filter means others, too: one request decides at most 10,000. Send the next one with a new key."""
