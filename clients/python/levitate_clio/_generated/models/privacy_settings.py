from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from attrs import define as _attrs_define

from ..types import UNSET, Unset

T = TypeVar("T", bound="PrivacySettings")


@_attrs_define
class PrivacySettings:
    """The setting that decides what a user of the firm is shown."""

    respect_visibility: bool | Unset = UNSET
    """ Whether a user is shown only the people whom the user's own connected login sees in Clio, and of these only
    what comes from matters that it sees. Then every request that shows people needs `Levitate-User`. A PUT without
    this field leaves it as it is. """

    def to_dict(self) -> dict[str, Any]:
        respect_visibility = self.respect_visibility

        field_dict: dict[str, Any] = {}

        field_dict.update({})
        if respect_visibility is not UNSET:
            field_dict["respect_visibility"] = respect_visibility

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        respect_visibility = d.pop("respect_visibility", UNSET)

        privacy_settings = cls(
            respect_visibility=respect_visibility,
        )

        return privacy_settings
