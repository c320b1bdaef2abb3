from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

T = TypeVar("T", bound="TagGrant")


@_attrs_define
class TagGrant:
    """One rule's reason for a tag."""

    rule: str
    """ The name of the rule, for example `client_status` or `practice_area`. """
    setting: None | str
    """ The JSON pointer of the setting that switches the rule on. Null if the rule is always on. """
    matter_clio_ids: list[str]
    """ Clio's ids of the matters behind the reason. Empty if it does not come from matters. """
    field_id: None | str
    """ Clio's id of the custom field that the label comes from. Null for other rules. """
    detail: str
    """ The reason in plain words, for a Success Manager. """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        rule = self.rule

        setting: None | str
        setting = self.setting

        matter_clio_ids = self.matter_clio_ids

        field_id: None | str
        field_id = self.field_id

        detail = self.detail

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "rule": rule,
                "setting": setting,
                "matter_clio_ids": matter_clio_ids,
                "field_id": field_id,
                "detail": detail,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        rule = d.pop("rule")

        def _parse_setting(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        setting = _parse_setting(d.pop("setting"))

        matter_clio_ids = cast(list[str], d.pop("matter_clio_ids"))

        def _parse_field_id(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        field_id = _parse_field_id(d.pop("field_id"))

        detail = d.pop("detail")

        tag_grant = cls(
            rule=rule,
            setting=setting,
            matter_clio_ids=matter_clio_ids,
            field_id=field_id,
            detail=detail,
        )

        tag_grant.additional_properties = d
        return tag_grant

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
