from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

if TYPE_CHECKING:
    from ..models.considered_matter import ConsideredMatter


T = TypeVar("T", bound="ExplainedOwner")


@_attrs_define
class ExplainedOwner:
    """The rule that chose the owner, and every matter that it considered, in order."""

    rule: str
    """ The rule that decided, as in `Owner.rule`. """
    matter_clio_id: None | str
    """ Clio's id of the matter that decided. Null if none did. """
    considered: list[ConsideredMatter]
    """ The matters in the order in which they were considered. Empty if the rule considers none. """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        rule = self.rule

        matter_clio_id: None | str
        matter_clio_id = self.matter_clio_id

        considered = []
        for considered_item_data in self.considered:
            considered_item = considered_item_data.to_dict()
            considered.append(considered_item)

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "rule": rule,
                "matter_clio_id": matter_clio_id,
                "considered": considered,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.considered_matter import ConsideredMatter  # noqa: PLC0415

        d = dict(src_dict)
        rule = d.pop("rule")

        def _parse_matter_clio_id(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        matter_clio_id = _parse_matter_clio_id(d.pop("matter_clio_id"))

        considered = []
        _considered = d.pop("considered")
        for considered_item_data in _considered:
            considered_item = ConsideredMatter.from_dict(considered_item_data)

            considered.append(considered_item)

        explained_owner = cls(
            rule=rule,
            matter_clio_id=matter_clio_id,
            considered=considered,
        )

        explained_owner.additional_properties = d
        return explained_owner

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
