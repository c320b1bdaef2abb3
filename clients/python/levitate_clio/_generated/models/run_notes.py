from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

T = TypeVar("T", bound="RunNotes")


@_attrs_define
class RunNotes:
    """Counts of values that a run could not use, and of contacts whose owner changed."""

    owner_changes: int
    """ Contacts that stayed in scope and got another owner or none. """
    too_long: int
    """ Values of custom fields that are too long for a tag (more than 60 characters). """
    unparsable: int
    """ Values of custom fields that give no tag or date because they cannot be read. """
    no_name_or_email: int
    """ People who are out of scope because they have neither a name nor an email address. """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        owner_changes = self.owner_changes

        too_long = self.too_long

        unparsable = self.unparsable

        no_name_or_email = self.no_name_or_email

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "owner_changes": owner_changes,
                "too_long": too_long,
                "unparsable": unparsable,
                "no_name_or_email": no_name_or_email,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        owner_changes = d.pop("owner_changes")

        too_long = d.pop("too_long")

        unparsable = d.pop("unparsable")

        no_name_or_email = d.pop("no_name_or_email")

        run_notes = cls(
            owner_changes=owner_changes,
            too_long=too_long,
            unparsable=unparsable,
            no_name_or_email=no_name_or_email,
        )

        run_notes.additional_properties = d
        return run_notes

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
