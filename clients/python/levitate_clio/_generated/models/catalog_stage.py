from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

T = TypeVar("T", bound="CatalogStage")


@_attrs_define
class CatalogStage:
    """A matter stage of one practice area in Clio."""

    id: str
    """ Clio's id of the stage. """
    name: None | str
    """ The name of the stage. Null if Clio does not give one. """
    practice_area_id: None | str
    """ Clio's id of the practice area that the stage belongs to. Null if Clio does not say. """
    gone: bool
    """ Whether Clio no longer lists it. """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        id = self.id

        name: None | str
        name = self.name

        practice_area_id: None | str
        practice_area_id = self.practice_area_id

        gone = self.gone

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "id": id,
                "name": name,
                "practice_area_id": practice_area_id,
                "gone": gone,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        id = d.pop("id")

        def _parse_name(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        name = _parse_name(d.pop("name"))

        def _parse_practice_area_id(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        practice_area_id = _parse_practice_area_id(d.pop("practice_area_id"))

        gone = d.pop("gone")

        catalog_stage = cls(
            id=id,
            name=name,
            practice_area_id=practice_area_id,
            gone=gone,
        )

        catalog_stage.additional_properties = d
        return catalog_stage

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
