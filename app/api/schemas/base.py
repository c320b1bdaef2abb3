"""What all bodies share: how texts, ids, zones and countries must look, and pages of lists."""

import re
from datetime import UTC, datetime
from typing import Annotated, Generic, TypeVar
from zoneinfo import available_timezones

import phonenumbers
from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, StringConstraints

T = TypeVar("T")

_ZONES = available_timezones()
_HALVES = re.compile("[\ud800-\udfff]")
_COUNTRIES = phonenumbers.SUPPORTED_REGIONS


def no_nul(text: str) -> str:
    """The text; PostgreSQL holds no NUL character, and no encoding half of a character."""
    if "\x00" in text:
        raise ValueError("must not contain the NUL character")
    if _HALVES.search(text):
        raise ValueError("must not contain half a character (a lone surrogate)")
    return text


def _zone(name: str) -> str:
    if name not in _ZONES:
        raise ValueError("must be an IANA time zone such as America/New_York")
    return name


def _country(code: str) -> str:
    if code not in _COUNTRIES:
        raise ValueError("must be an ISO 3166 alpha-2 code such as US")
    return code


def _in_utc(moment: datetime) -> datetime:
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise ValueError("must lie in the years 1 to 9999 in UTC, too") from None


Text = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=200),
    AfterValidator(no_nul),
]
UserId = Annotated[str, StringConstraints(pattern=r"^[\w.@:-]{1,128}$")]
TimeZone = Annotated[str, AfterValidator(_zone)]
Country = Annotated[str, AfterValidator(_country)]
Moment = Annotated[AwareDatetime, AfterValidator(_in_utc)]


# Of an answer: what has a default here is there all the same, and the document says so.
ALWAYS_THERE = ConfigDict(json_schema_serialization_defaults_required=True)


class In(BaseModel):
    """A request's body."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Page(BaseModel, Generic[T]):
    """A page of a list. Go on with `?cursor=<next_cursor>` while `has_more`."""

    data: list[T]
    next_cursor: str | None
    has_more: bool


class CodeDetail(BaseModel):
    """What is wrong: a stable code, and plain words."""

    code: str
    detail: str
