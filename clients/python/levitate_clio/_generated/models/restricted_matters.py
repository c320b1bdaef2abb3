from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from attrs import define as _attrs_define

from ..types import UNSET, Unset

T = TypeVar("T", bound="RestrictedMatters")


@_attrs_define
class RestrictedMatters:
    """The setting for matters that not everybody at the firm may see in Clio."""

    withhold: bool | Unset = UNSET
    """ Whether tags are left out if all their reasons come from such matters. If not, they are only marked. """

    def to_dict(self) -> dict[str, Any]:
        withhold = self.withhold

        field_dict: dict[str, Any] = {}

        field_dict.update({})
        if withhold is not UNSET:
            field_dict["withhold"] = withhold

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        withhold = d.pop("withhold", UNSET)

        restricted_matters = cls(
            withhold=withhold,
        )

        return restricted_matters
