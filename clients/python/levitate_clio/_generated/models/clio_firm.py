from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

T = TypeVar("T", bound="ClioFirm")


@_attrs_define
class ClioFirm:
    """The firm in Clio that an account is linked to. The first login that is connected decides which one it is."""

    region: str
    """ A region of Clio: United States, Europe, Canada or Australia. A login of one does not work in another. Known
    values: `us`, `eu`, `ca`, `au`. """
    account_id: str
    """ Clio's id of the firm. """
    name: None | str
    """ The name of the firm in Clio. Null if Clio does not give one. """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        region = self.region

        account_id = self.account_id

        name: None | str
        name = self.name

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "region": region,
                "account_id": account_id,
                "name": name,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        region = d.pop("region")

        account_id = d.pop("account_id")

        def _parse_name(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        name = _parse_name(d.pop("name"))

        clio_firm = cls(
            region=region,
            account_id=account_id,
            name=name,
        )

        clio_firm.additional_properties = d
        return clio_firm

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
