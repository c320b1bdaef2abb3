from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

T = TypeVar("T", bound="NeededChange")


@_attrs_define
class NeededChange:
    """A change that would bring a person into scope. Exactly one of `setting` and `clio` is set."""

    setting: None | str
    """ The JSON pointer of the setting that would have to change. """
    clio: None | str
    """ What would have to change in Clio: `client`, `name`, `opt_out`, `role`, `contact` (it was deleted) or
    `visibility` (no login sees it any more). """
    detail: str
    """ What to do, in plain words. """
    alone: bool
    """ Whether this change alone is enough. Those that are not are needed together. """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        setting: None | str
        setting = self.setting

        clio: None | str
        clio = self.clio

        detail = self.detail

        alone = self.alone

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "setting": setting,
                "clio": clio,
                "detail": detail,
                "alone": alone,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)

        def _parse_setting(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        setting = _parse_setting(d.pop("setting"))

        def _parse_clio(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        clio = _parse_clio(d.pop("clio"))

        detail = d.pop("detail")

        alone = d.pop("alone")

        needed_change = cls(
            setting=setting,
            clio=clio,
            detail=detail,
            alone=alone,
        )

        needed_change.additional_properties = d
        return needed_change

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
