from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

if TYPE_CHECKING:
    from ..models.catalog_field import CatalogField
    from ..models.catalog_practice_area import CatalogPracticeArea
    from ..models.catalog_stage import CatalogStage
    from ..models.catalog_user import CatalogUser


T = TypeVar("T", bound="Catalog")


@_attrs_define
class Catalog:
    """The records of the firm in Clio that settings can choose from, as of the last run."""

    custom_fields: list[CatalogField]
    """ All custom fields of contacts and matters, also deleted ones, sorted by Clio's id. """
    practice_areas: list[CatalogPracticeArea]
    """ All practice areas, also those that are gone, sorted by Clio's id. """
    stages: list[CatalogStage]
    """ All matter stages, also those that are gone, sorted by Clio's id. """
    users: list[CatalogUser]
    """ All Clio users, also those who are gone, sorted by Clio's id. """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        custom_fields = []
        for custom_fields_item_data in self.custom_fields:
            custom_fields_item = custom_fields_item_data.to_dict()
            custom_fields.append(custom_fields_item)

        practice_areas = []
        for practice_areas_item_data in self.practice_areas:
            practice_areas_item = practice_areas_item_data.to_dict()
            practice_areas.append(practice_areas_item)

        stages = []
        for stages_item_data in self.stages:
            stages_item = stages_item_data.to_dict()
            stages.append(stages_item)

        users = []
        for users_item_data in self.users:
            users_item = users_item_data.to_dict()
            users.append(users_item)

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "custom_fields": custom_fields,
                "practice_areas": practice_areas,
                "stages": stages,
                "users": users,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.catalog_field import CatalogField  # noqa: PLC0415
        from ..models.catalog_practice_area import CatalogPracticeArea  # noqa: PLC0415
        from ..models.catalog_stage import CatalogStage  # noqa: PLC0415
        from ..models.catalog_user import CatalogUser  # noqa: PLC0415

        d = dict(src_dict)
        custom_fields = []
        _custom_fields = d.pop("custom_fields")
        for custom_fields_item_data in _custom_fields:
            custom_fields_item = CatalogField.from_dict(custom_fields_item_data)

            custom_fields.append(custom_fields_item)

        practice_areas = []
        _practice_areas = d.pop("practice_areas")
        for practice_areas_item_data in _practice_areas:
            practice_areas_item = CatalogPracticeArea.from_dict(practice_areas_item_data)

            practice_areas.append(practice_areas_item)

        stages = []
        _stages = d.pop("stages")
        for stages_item_data in _stages:
            stages_item = CatalogStage.from_dict(stages_item_data)

            stages.append(stages_item)

        users = []
        _users = d.pop("users")
        for users_item_data in _users:
            users_item = CatalogUser.from_dict(users_item_data)

            users.append(users_item)

        catalog = cls(
            custom_fields=custom_fields,
            practice_areas=practice_areas,
            stages=stages,
            users=users,
        )

        catalog.additional_properties = d
        return catalog

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
