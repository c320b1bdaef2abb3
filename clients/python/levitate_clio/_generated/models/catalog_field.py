from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

if TYPE_CHECKING:
    from ..models.field_option import FieldOption


T = TypeVar("T", bound="CatalogField")


@_attrs_define
class CatalogField:
    """A custom field in Clio, and which settings may name it."""

    id: str
    """ Clio's id of the field. Settings name the field by this id. """
    name: None | str
    """ The name of the field. Null if Clio does not give one. """
    type_: None | str
    """ The type in Clio, for example `checkbox`, `date`, `picklist` or `text_line`. Null if Clio does not give one.
    """
    parent: None | str
    """ What the field belongs to: `contact` or `matter`. Null if Clio does not say. Settings use fields of
    contacts. """
    deleted: bool
    """ Whether the field was deleted in Clio or is no longer listed there. """
    options: list[FieldOption]
    """ The options of a picklist. Empty for other types. """
    makes_tags: bool
    """ Whether `tags.custom_fields` may name the field. """
    makes_dates: bool
    """ Whether `key_facts.custom_date_field_ids` may name the field. """
    makes_opt_out: bool
    """ Whether `scope.opt_out_field_id` may name the field. """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        id = self.id

        name: None | str
        name = self.name

        type_: None | str
        type_ = self.type_

        parent: None | str
        parent = self.parent

        deleted = self.deleted

        options = []
        for options_item_data in self.options:
            options_item = options_item_data.to_dict()
            options.append(options_item)

        makes_tags = self.makes_tags

        makes_dates = self.makes_dates

        makes_opt_out = self.makes_opt_out

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "id": id,
                "name": name,
                "type": type_,
                "parent": parent,
                "deleted": deleted,
                "options": options,
                "makes_tags": makes_tags,
                "makes_dates": makes_dates,
                "makes_opt_out": makes_opt_out,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.field_option import FieldOption  # noqa: PLC0415

        d = dict(src_dict)
        id = d.pop("id")

        def _parse_name(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        name = _parse_name(d.pop("name"))

        def _parse_type_(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        type_ = _parse_type_(d.pop("type"))

        def _parse_parent(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        parent = _parse_parent(d.pop("parent"))

        deleted = d.pop("deleted")

        options = []
        _options = d.pop("options")
        for options_item_data in _options:
            options_item = FieldOption.from_dict(options_item_data)

            options.append(options_item)

        makes_tags = d.pop("makes_tags")

        makes_dates = d.pop("makes_dates")

        makes_opt_out = d.pop("makes_opt_out")

        catalog_field = cls(
            id=id,
            name=name,
            type_=type_,
            parent=parent,
            deleted=deleted,
            options=options,
            makes_tags=makes_tags,
            makes_dates=makes_dates,
            makes_opt_out=makes_opt_out,
        )

        catalog_field.additional_properties = d
        return catalog_field

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
