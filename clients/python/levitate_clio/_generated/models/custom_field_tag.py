from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from attrs import define as _attrs_define

from ..types import UNSET, Unset

T = TypeVar("T", bound="CustomFieldTag")


@_attrs_define
class CustomFieldTag:
    """A custom field whose values become tags."""

    field_id: str
    """ Clio's id of a custom field. """
    label_format: str | Unset = UNSET
    """ The label of a custom field: its value, `name: value`, or its name.

    `default` is the name for a checkbox, the value for a picklist, and `name: value` for all other types. Known
    values: `default`, `value`, `name_value`, `name`. """

    def to_dict(self) -> dict[str, Any]:
        field_id = self.field_id

        label_format = self.label_format

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "field_id": field_id,
            }
        )
        if label_format is not UNSET:
            field_dict["label_format"] = label_format

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        field_id = d.pop("field_id")

        label_format = d.pop("label_format", UNSET)

        custom_field_tag = cls(
            field_id=field_id,
            label_format=label_format,
        )

        return custom_field_tag
