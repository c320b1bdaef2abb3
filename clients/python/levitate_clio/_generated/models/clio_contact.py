from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

T = TypeVar("T", bound="ClioContact")


@_attrs_define
class ClioContact:
    """A contact of Clio that a login has shown, in Levitate or not."""

    clio_id: str
    """ Clio's id of the contact. """
    name: str
    """ The name in Clio. Empty if there is none. """
    type_: str
    """ Whether Clio has a person or a company. Known values: `person`, `company`. """
    contact_id: None | str
    """ Our id of the contact. Null if it was never in Levitate. """
    state: None | str
    """ The state of the contact in Levitate. Null if it was never there. """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        clio_id = self.clio_id

        name = self.name

        type_ = self.type_

        contact_id: None | str
        contact_id = self.contact_id

        state: None | str
        state = self.state

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "clio_id": clio_id,
                "name": name,
                "type": type_,
                "contact_id": contact_id,
                "state": state,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        clio_id = d.pop("clio_id")

        name = d.pop("name")

        type_ = d.pop("type")

        def _parse_contact_id(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        contact_id = _parse_contact_id(d.pop("contact_id"))

        def _parse_state(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        state = _parse_state(d.pop("state"))

        clio_contact = cls(
            clio_id=clio_id,
            name=name,
            type_=type_,
            contact_id=contact_id,
            state=state,
        )

        clio_contact.additional_properties = d
        return clio_contact

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
