from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

T = TypeVar("T", bound="Address")


@_attrs_define
class Address:
    """A postal address."""

    kind: None | str
    """ The label in Clio, for example `Home`. Null if there is none. """
    street: None | str
    """ The street and house number. Null if there is none. """
    city: None | str
    """ The city. Null if there is none. """
    state: None | str
    """ The state or province, as written in Clio. Null if there is none. """
    postal_code: None | str
    """ The postal code. Null if there is none. """
    country: None | str
    """ The country, as written in Clio. Null if there is none. """
    primary: bool
    """ Whether this is the primary address for Levitate. The first address of a contact is, and no other. """
    clio_primary: bool
    """ Whether the address is marked as primary in Clio. """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        kind: None | str
        kind = self.kind

        street: None | str
        street = self.street

        city: None | str
        city = self.city

        state: None | str
        state = self.state

        postal_code: None | str
        postal_code = self.postal_code

        country: None | str
        country = self.country

        primary = self.primary

        clio_primary = self.clio_primary

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "kind": kind,
                "street": street,
                "city": city,
                "state": state,
                "postal_code": postal_code,
                "country": country,
                "primary": primary,
                "clio_primary": clio_primary,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)

        def _parse_kind(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        kind = _parse_kind(d.pop("kind"))

        def _parse_street(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        street = _parse_street(d.pop("street"))

        def _parse_city(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        city = _parse_city(d.pop("city"))

        def _parse_state(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        state = _parse_state(d.pop("state"))

        def _parse_postal_code(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        postal_code = _parse_postal_code(d.pop("postal_code"))

        def _parse_country(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        country = _parse_country(d.pop("country"))

        primary = d.pop("primary")

        clio_primary = d.pop("clio_primary")

        address = cls(
            kind=kind,
            street=street,
            city=city,
            state=state,
            postal_code=postal_code,
            country=country,
            primary=primary,
            clio_primary=clio_primary,
        )

        address.additional_properties = d
        return address

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
