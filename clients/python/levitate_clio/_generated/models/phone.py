from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

T = TypeVar("T", bound="Phone")


@_attrs_define
class Phone:
    """A phone number."""

    number: None | str
    """ The number in E.164 format, without its extension, for example `+19195550102`. Null if it is not a valid
    number. """
    raw: str
    """ The field as written in Clio. Several numbers in one field are several phones with the same `raw`. """
    kind: None | str
    """ The label in Clio, for example `Mobile`. Null if there is none. """
    primary: bool
    """ Whether this is the primary number. The first number of a contact is, and no other. """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        number: None | str
        number = self.number

        raw = self.raw

        kind: None | str
        kind = self.kind

        primary = self.primary

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "number": number,
                "raw": raw,
                "kind": kind,
                "primary": primary,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)

        def _parse_number(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        number = _parse_number(d.pop("number"))

        raw = d.pop("raw")

        def _parse_kind(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        kind = _parse_kind(d.pop("kind"))

        primary = d.pop("primary")

        phone = cls(
            number=number,
            raw=raw,
            kind=kind,
            primary=primary,
        )

        phone.additional_properties = d
        return phone

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
