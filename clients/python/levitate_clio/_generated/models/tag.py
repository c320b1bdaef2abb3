from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

T = TypeVar("T", bound="Tag")


@_attrs_define
class Tag:
    """A tag that this service gives to a contact."""

    label: str
    """ The text of the tag. Labels that differ only in case or spaces are the same tag. """
    category: str
    """ The kind of tag: `default`, `client_status`, `practice_area`, `related_practice_area`, `relationship`,
    `related_contact`, `matter_number`, `matter_tag`, `location`, `personal_company`, `attorney` or `custom_field`.
    """
    restricted: bool
    """ Whether all reasons for the tag come from matters with limited permissions in Clio. """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        label = self.label

        category = self.category

        restricted = self.restricted

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "label": label,
                "category": category,
                "restricted": restricted,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        label = d.pop("label")

        category = d.pop("category")

        restricted = d.pop("restricted")

        tag = cls(
            label=label,
            category=category,
            restricted=restricted,
        )

        tag.additional_properties = d
        return tag

    @property
    def additional_keys(self) -> list[str]:
        return list(self.additional_properties.keys())

    def __getitem__(self, key: str) -> Any:
        return self.additional_properties[key]

    def __setitem__(self, key: str, value: Any) -> None:
        self.additional_properties[key] = value

    def __delitem__(self, key: str) -> None:
        del self.additional_properties[key]

    def __contains__(self, key: str) -> bool:
        return key in self.additional_properties
