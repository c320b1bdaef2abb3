from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

T = TypeVar("T", bound="StatusContacts")


@_attrs_define
class StatusContacts:
    """The numbers of contacts by state. Only contacts that were once in scope count."""

    in_scope: int
    """ Contacts that belong in Levitate. """
    out_of_scope: int
    """ Contacts that no longer belong in Levitate. """
    deleted: int
    """ Contacts that were deleted in Clio. """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        in_scope = self.in_scope

        out_of_scope = self.out_of_scope

        deleted = self.deleted

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "in_scope": in_scope,
                "out_of_scope": out_of_scope,
                "deleted": deleted,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        in_scope = d.pop("in_scope")

        out_of_scope = d.pop("out_of_scope")

        deleted = d.pop("deleted")

        status_contacts = cls(
            in_scope=in_scope,
            out_of_scope=out_of_scope,
            deleted=deleted,
        )

        status_contacts.additional_properties = d
        return status_contacts

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
