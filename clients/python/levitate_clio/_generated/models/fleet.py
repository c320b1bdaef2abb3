from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

if TYPE_CHECKING:
    from ..models.fleet_health import FleetHealth


T = TypeVar("T", bound="Fleet")


@_attrs_define
class Fleet:
    """All accounts of a token at a glance."""

    health: FleetHealth
    """ How many accounts have each health. """
    runs_in_flight: int
    """ Runs that are queued, running or interrupted. """
    oldest_unserved_slot_at: datetime.datetime | None
    """ Since when the oldest scheduled run is due that has not succeeded yet (RFC 3339, UTC). Null if there is
    none. Accounts without a working login do not count. """
    holds_waiting: int
    """ Holds that wait for a person. """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        health = self.health.to_dict()

        runs_in_flight = self.runs_in_flight

        oldest_unserved_slot_at: None | str
        if isinstance(self.oldest_unserved_slot_at, datetime.datetime):
            oldest_unserved_slot_at = self.oldest_unserved_slot_at.isoformat()
        else:
            oldest_unserved_slot_at = self.oldest_unserved_slot_at

        holds_waiting = self.holds_waiting

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "health": health,
                "runs_in_flight": runs_in_flight,
                "oldest_unserved_slot_at": oldest_unserved_slot_at,
                "holds_waiting": holds_waiting,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.fleet_health import FleetHealth  # noqa: PLC0415

        d = dict(src_dict)
        health = FleetHealth.from_dict(d.pop("health"))

        runs_in_flight = d.pop("runs_in_flight")

        def _parse_oldest_unserved_slot_at(data: object) -> datetime.datetime | None:
            if data is None:
                return data
            try:
                if not isinstance(data, str):
                    raise TypeError()
                oldest_unserved_slot_at_type_0 = datetime.datetime.fromisoformat(data)

                return oldest_unserved_slot_at_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(datetime.datetime | None, data)

        oldest_unserved_slot_at = _parse_oldest_unserved_slot_at(d.pop("oldest_unserved_slot_at"))

        holds_waiting = d.pop("holds_waiting")

        fleet = cls(
            health=health,
            runs_in_flight=runs_in_flight,
            oldest_unserved_slot_at=oldest_unserved_slot_at,
            holds_waiting=holds_waiting,
        )

        fleet.additional_properties = d
        return fleet

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
