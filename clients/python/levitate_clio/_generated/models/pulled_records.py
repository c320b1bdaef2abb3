from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

T = TypeVar("T", bound="PulledRecords")


@_attrs_define
class PulledRecords:
    """The numbers of records read from Clio. A record that several logins show counts once for each login."""

    contacts: int
    """ People and companies. """
    matters: int
    """ Matters of any status. """
    relationships: int
    """ Relationships of contacts to matters. """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        contacts = self.contacts

        matters = self.matters

        relationships = self.relationships

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "contacts": contacts,
                "matters": matters,
                "relationships": relationships,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        contacts = d.pop("contacts")

        matters = d.pop("matters")

        relationships = d.pop("relationships")

        pulled_records = cls(
            contacts=contacts,
            matters=matters,
            relationships=relationships,
        )

        pulled_records.additional_properties = d
        return pulled_records

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
