from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from attrs import define as _attrs_define

from ..types import UNSET, Unset

T = TypeVar("T", bound="LocationTags")


@_attrs_define
class LocationTags:
    """The parts of the primary address that become tags."""

    city: bool | Unset = UNSET
    """ Whether the city becomes a tag. """
    state: bool | Unset = UNSET
    """ Whether the state or province becomes a tag. """
    postal_code: bool | Unset = UNSET
    """ Whether the postal code becomes a tag. """
    country: bool | Unset = UNSET
    """ Whether the country becomes a tag. """

    def to_dict(self) -> dict[str, Any]:
        city = self.city

        state = self.state

        postal_code = self.postal_code

        country = self.country

        field_dict: dict[str, Any] = {}

        field_dict.update({})
        if city is not UNSET:
            field_dict["city"] = city
        if state is not UNSET:
            field_dict["state"] = state
        if postal_code is not UNSET:
            field_dict["postal_code"] = postal_code
        if country is not UNSET:
            field_dict["country"] = country

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        city = d.pop("city", UNSET)

        state = d.pop("state", UNSET)

        postal_code = d.pop("postal_code", UNSET)

        country = d.pop("country", UNSET)

        location_tags = cls(
            city=city,
            state=state,
            postal_code=postal_code,
            country=country,
        )

        return location_tags
