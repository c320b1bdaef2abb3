from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, cast

from attrs import define as _attrs_define

from ..types import UNSET, Unset

T = TypeVar("T", bound="KeyFactSettings")


@_attrs_define
class KeyFactSettings:
    """The key facts that contacts get."""

    birthday: bool | Unset = UNSET
    """ Whether contacts get their birthday. """
    clio_id: bool | Unset = UNSET
    """ Whether contacts get their id in Clio. """
    custom_date_field_ids: list[str] | Unset = UNSET
    """ Clio's ids of date fields of contacts whose values become key facts. At most 20, each field once. """

    def to_dict(self) -> dict[str, Any]:
        birthday = self.birthday

        clio_id = self.clio_id

        custom_date_field_ids: list[str] | Unset = UNSET
        if not isinstance(self.custom_date_field_ids, Unset):
            custom_date_field_ids = self.custom_date_field_ids

        field_dict: dict[str, Any] = {}

        field_dict.update({})
        if birthday is not UNSET:
            field_dict["birthday"] = birthday
        if clio_id is not UNSET:
            field_dict["clio_id"] = clio_id
        if custom_date_field_ids is not UNSET:
            field_dict["custom_date_field_ids"] = custom_date_field_ids

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        birthday = d.pop("birthday", UNSET)

        clio_id = d.pop("clio_id", UNSET)

        custom_date_field_ids = cast(list[str], d.pop("custom_date_field_ids", UNSET))

        key_fact_settings = cls(
            birthday=birthday,
            clio_id=clio_id,
            custom_date_field_ids=custom_date_field_ids,
        )

        return key_fact_settings
