from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

T = TypeVar("T", bound="FleetHealth")


@_attrs_define
class FleetHealth:
    """How many accounts have each health."""

    ok: int
    """ Everything works. """
    degraded: int
    """ A warning is open, or no run has read all lists for two slots. """
    needs_attention: int
    """ They cannot go on without a person. """
    disabled: int
    """ The integration is off. """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        ok = self.ok

        degraded = self.degraded

        needs_attention = self.needs_attention

        disabled = self.disabled

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "ok": ok,
                "degraded": degraded,
                "needs_attention": needs_attention,
                "disabled": disabled,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        ok = d.pop("ok")

        degraded = d.pop("degraded")

        needs_attention = d.pop("needs_attention")

        disabled = d.pop("disabled")

        fleet_health = cls(
            ok=ok,
            degraded=degraded,
            needs_attention=needs_attention,
            disabled=disabled,
        )

        fleet_health.additional_properties = d
        return fleet_health

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
