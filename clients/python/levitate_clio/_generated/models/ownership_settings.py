from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from attrs import define as _attrs_define

from ..types import UNSET, Unset

T = TypeVar("T", bound="OwnershipSettings")


@_attrs_define
class OwnershipSettings:
    """The settings that decide who owns a contact."""

    source: str | Unset = UNSET
    """ The source of a contact's owner: the responsible or originating attorney of a matter, or the primary user.
    Known values: `responsible_attorney`, `originating_attorney`, `primary_user`. """
    fallback: str | Unset = UNSET
    """ The owner of a contact without a usable attorney: the account's primary user, or nobody (`unassigned`).
    Known values: `primary_user`, `unassigned`. """
    prefer_open: bool | Unset = UNSET
    """ Whether open matters come before others. If not, the matter that was updated last decides. """
    sticky: bool | Unset = UNSET
    """ Whether a contact keeps its owner while one of its matters still names that user as an attorney. """

    def to_dict(self) -> dict[str, Any]:
        source = self.source

        fallback = self.fallback

        prefer_open = self.prefer_open

        sticky = self.sticky

        field_dict: dict[str, Any] = {}

        field_dict.update({})
        if source is not UNSET:
            field_dict["source"] = source
        if fallback is not UNSET:
            field_dict["fallback"] = fallback
        if prefer_open is not UNSET:
            field_dict["prefer_open"] = prefer_open
        if sticky is not UNSET:
            field_dict["sticky"] = sticky

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        source = d.pop("source", UNSET)

        fallback = d.pop("fallback", UNSET)

        prefer_open = d.pop("prefer_open", UNSET)

        sticky = d.pop("sticky", UNSET)

        ownership_settings = cls(
            source=source,
            fallback=fallback,
            prefer_open=prefer_open,
            sticky=sticky,
        )

        return ownership_settings
