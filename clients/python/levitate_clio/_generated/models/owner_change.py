from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

T = TypeVar("T", bound="OwnerChange")


@_attrs_define
class OwnerChange:
    """A change of the owner."""

    from_: None | str
    """ Levitate's id of the previous owner. Null if there was none. """
    to: None | str
    """ Levitate's id of the new owner. Null if there is none. """
    rule: None | str
    """ The rule that chose the new owner, as in `Owner.rule`. Null if the contact left the scope. """
    matter_clio_id: None | str
    """ Clio's id of the matter that names the new owner. Null if no matter decided. """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        from_: None | str
        from_ = self.from_

        to: None | str
        to = self.to

        rule: None | str
        rule = self.rule

        matter_clio_id: None | str
        matter_clio_id = self.matter_clio_id

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "from": from_,
                "to": to,
                "rule": rule,
                "matter_clio_id": matter_clio_id,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)

        def _parse_from_(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        from_ = _parse_from_(d.pop("from"))

        def _parse_to(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        to = _parse_to(d.pop("to"))

        def _parse_rule(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        rule = _parse_rule(d.pop("rule"))

        def _parse_matter_clio_id(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        matter_clio_id = _parse_matter_clio_id(d.pop("matter_clio_id"))

        owner_change = cls(
            from_=from_,
            to=to,
            rule=rule,
            matter_clio_id=matter_clio_id,
        )

        owner_change.additional_properties = d
        return owner_change

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
