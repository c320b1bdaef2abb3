from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from attrs import define as _attrs_define

T = TypeVar("T", bound="PreviewIn")


@_attrs_define
class PreviewIn:
    """The settings to preview. They are not stored."""

    settings: Any
    """ A JSON merge patch (RFC 7396) of the current settings. Null sets a part back to its default. """

    def to_dict(self) -> dict[str, Any]:
        settings = self.settings

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "settings": settings,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        settings = d.pop("settings")

        preview_in = cls(
            settings=settings,
        )

        return preview_in
