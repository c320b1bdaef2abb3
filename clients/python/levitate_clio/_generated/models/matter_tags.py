from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, cast

from attrs import define as _attrs_define

from ..types import UNSET, Unset

T = TypeVar("T", bound="MatterTags")


@_attrs_define
class MatterTags:
    """Tags from the contact's own matters."""

    enabled: bool | Unset = UNSET
    """ Whether contacts get these tags. """
    matter_status: list[str] | Unset = UNSET
    """ The statuses of the matters that count: `open`, `pending`, `closed`. A matter in another status gives no
    tag. """

    def to_dict(self) -> dict[str, Any]:
        enabled = self.enabled

        matter_status: list[str] | Unset = UNSET
        if not isinstance(self.matter_status, Unset):
            matter_status = self.matter_status

        field_dict: dict[str, Any] = {}

        field_dict.update({})
        if enabled is not UNSET:
            field_dict["enabled"] = enabled
        if matter_status is not UNSET:
            field_dict["matter_status"] = matter_status

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        enabled = d.pop("enabled", UNSET)

        matter_status = cast(list[str], d.pop("matter_status", UNSET))

        matter_tags = cls(
            enabled=enabled,
            matter_status=matter_status,
        )

        return matter_tags
