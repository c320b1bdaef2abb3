from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

T = TypeVar("T", bound="PartHealth")


@_attrs_define
class PartHealth:
    """A background part of the process."""

    name: str
    """ The part, for example `clock`. """
    state: str
    """ `running`, `waiting_for_database`, `restarting`, or `stuck`. """
    seconds_since_turn: float
    """ The seconds since the part finished its last turn. """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        name = self.name

        state = self.state

        seconds_since_turn = self.seconds_since_turn

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "name": name,
                "state": state,
                "seconds_since_turn": seconds_since_turn,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        name = d.pop("name")

        state = d.pop("state")

        seconds_since_turn = d.pop("seconds_since_turn")

        part_health = cls(
            name=name,
            state=state,
            seconds_since_turn=seconds_since_turn,
        )

        part_health.additional_properties = d
        return part_health

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
