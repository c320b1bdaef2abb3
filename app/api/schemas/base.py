"""Types that all bodies share: texts, ids, time zones, countries, times, and pages of lists."""

import re
from datetime import UTC, datetime
from typing import Annotated, Any, Generic, Self, TypeVar
from zoneinfo import available_timezones

import phonenumbers
from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    ModelWrapValidatorHandler,
    StringConstraints,
    ValidationError,
    model_validator,
)
from pydantic_core import PydanticCustomError
from typing_extensions import override

from app.rules.texts import compared

T = TypeVar("T")
MOST_ERRORS = 1000  # in a body whose errors are described one by one

# Zones of the IANA database that name a place, or UTC. The others are offsets (`Etc/GMT+5`), rules without a place
# (`EST5EDT`), or mean something else on each machine (`localtime`, `Factory`).
_PLACES = (
    "Africa/", "America/", "Antarctica/", "Arctic/", "Asia/", "Atlantic/", "Australia/", "Brazil/", "Canada/",
    "Chile/", "Europe/", "Indian/", "Mexico/", "Pacific/", "US/",
)  # fmt: skip
_SHORT_PLACES = {
    "Cuba", "Egypt", "Eire", "GB", "GB-Eire", "Greenwich", "Hongkong", "Iceland", "Iran", "Israel", "Jamaica", "Japan",
    "Kwajalein", "Libya", "NZ", "NZ-CHAT", "Navajo", "PRC", "Poland", "Portugal", "ROC", "ROK", "Singapore", "Turkey",
    "W-SU",
}  # fmt: skip
_UTC = {
    "UTC", "UCT", "GMT", "Universal", "Zulu", "Etc/UTC", "Etc/UCT", "Etc/GMT", "Etc/Greenwich", "Etc/Universal",
    "Etc/Zulu",
}  # fmt: skip
_ZONES = frozenset(
    name
    for name in available_timezones()
    if name.startswith(_PLACES) or name in _SHORT_PLACES | _UTC
)
_HALVES = re.compile("[\ud800-\udfff]")
_COUNTRIES = phonenumbers.SUPPORTED_REGIONS


def no_nul(text: str) -> str:
    """Return the text. Raise ValueError for NUL, which PostgreSQL cannot store, and for lone surrogates (not UTF-8)."""
    if "\x00" in text:
        raise ValueError("must not contain the NUL character; leave it out")
    if _HALVES.search(text):
        raise ValueError("must not contain a lone surrogate (half of a character); leave it out")
    return text


def visible(text: str) -> str:
    """Return the text. Raise ValueError if there is nothing to see: only white space and format characters [row 51]."""
    if not compared(text):
        raise ValueError("must contain a character that can be seen; send some text")
    return text


def printable(text: str) -> str:
    """Return the text. Raise ValueError for controls, lone surrogates and characters that nobody can see."""
    if not text.isprintable():
        raise ValueError("must have printable characters only; leave the others out")
    return text


def _zone(name: str) -> str:
    if name not in _ZONES:
        raise ValueError(
            "must be a time zone of the IANA database that names a place; send one such as America/New_York, or UTC"
        )
    return name


def _country(code: str) -> str:
    if code not in _COUNTRIES:
        raise ValueError("must be an ISO 3166 alpha-2 code; send one such as US")
    return code


def _in_utc(moment: datetime) -> datetime:
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise ValueError(
            "must be in the years 1 to 9999 after conversion to UTC; send another time"
        ) from None


Text = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=200),
    AfterValidator(no_nul),
    AfterValidator(visible),
]
UserId = Annotated[str, StringConstraints(min_length=1, max_length=128), AfterValidator(printable)]
TimeZone = Annotated[str, AfterValidator(_zone)]
Country = Annotated[str, AfterValidator(_country)]
Moment = Annotated[AwareDatetime, AfterValidator(_in_utc)]


# For responses: a field with a default is always present, so the OpenAPI document lists it as required.
ALWAYS_THERE = ConfigDict(json_schema_serialization_defaults_required=True)


class Schema(BaseModel):
    """A schema of the OpenAPI document. The text below a field is the field's description there."""

    model_config = ConfigDict(use_attribute_docstrings=True)


class In(Schema):
    """A part of a request body."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Body(In):
    """A whole request body."""

    @model_validator(mode="wrap")
    @classmethod
    def _count_errors(cls, body: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:
        """Raise one error in place of very many: pydantic needs a second to describe 300,000 of them."""
        try:
            return handler(body)
        except ValidationError as error:
            count = error.error_count()
            if count <= MOST_ERRORS:
                raise
            raise PydanticCustomError("too_many_errors", f"has {count} errors") from None


def _is_absent(value: object) -> bool:
    return value is None


class Page(Schema, Generic[T]):
    """A page of a list. While `has_more` is true, request the next page with `?cursor=<next_cursor>`."""

    data: list[T]
    """The items of this page, in the order of the list."""

    next_cursor: str | None
    """The cursor to send as `cursor` for the next page. Null on the last page."""

    has_more: bool
    """Whether more items follow this page."""

    total: int | None = Field(default=None, exclude_if=_is_absent)
    """How many items all pages have together. Only with `count=true`."""

    @classmethod
    @override
    def model_parametrized_name(cls, params: tuple[Any, ...]) -> str:
        """Name `Page[Account]` `AccountPage` in the document and in generated clients."""
        return f"{params[0].__name__}Page"

    @classmethod
    @override
    def __pydantic_init_subclass__(cls, **_: Any) -> None:
        """Give `Page[Account]` and the like this docstring, because a class made from a generic one has none."""
        cls.__doc__ = Page.__doc__


# A page of contacts, say, has the fields of `Page` and no source of its own. pydantic would look for it at each start,
# for 0.4 seconds in all.
Page.model_config["use_attribute_docstrings"] = False


class CodeDetail(Schema):
    """A problem: a stable code, and an explanation for people."""

    code: str
    """A stable code to decide by. New codes can be added."""

    detail: str
    """What is wrong and what to do about it, in plain words. Do not parse it: the wording can change."""
