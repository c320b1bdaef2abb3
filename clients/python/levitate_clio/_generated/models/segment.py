from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, cast

from attrs import define as _attrs_define

from ..types import UNSET, Unset

T = TypeVar("T", bound="Segment")


@_attrs_define
class Segment:
    """Limits the scope by tags. An empty list has no effect."""

    include_any: list[str] | Unset = UNSET
    """ Labels of which a contact must have at least one. At most 200, each with at most 120 characters. """
    exclude_any: list[str] | Unset = UNSET
    """ Labels of which a contact must have none. At most 200, each with at most 120 characters. """

    def to_dict(self) -> dict[str, Any]:
        include_any: list[str] | Unset = UNSET
        if not isinstance(self.include_any, Unset):
            include_any = self.include_any

        exclude_any: list[str] | Unset = UNSET
        if not isinstance(self.exclude_any, Unset):
            exclude_any = self.exclude_any

        field_dict: dict[str, Any] = {}

        field_dict.update({})
        if include_any is not UNSET:
            field_dict["include_any"] = include_any
        if exclude_any is not UNSET:
            field_dict["exclude_any"] = exclude_any

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        include_any = cast(list[str], d.pop("include_any", UNSET))

        exclude_any = cast(list[str], d.pop("exclude_any", UNSET))

        segment = cls(
            include_any=include_any,
            exclude_any=exclude_any,
        )

        return segment
