from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

T = TypeVar("T", bound="Progress")


@_attrs_define
class Progress:
    """The progress of a run. Its numbers count records read from Clio and contacts assessed."""

    phase: None | str
    """ `pulling`: Clio is read. `assessing`: the rules are applied. `done`: the run succeeded. Null before it
    begins. A run that failed or was cancelled keeps its last phase. """
    done: int
    """ How many records were read and contacts assessed. """
    total: int | None
    """ How many there are in all. Null while Clio has not said how long its lists are, and in a run that reads no
    lists. """
    percent: int | None
    """ The share that is done, from 0 to 99; 100 when the run succeeded. Null while `total` is null or 0. """
    eta_seconds: int | None
    """ The estimated time until the work of this phase is done, in seconds; 0 when the run succeeded. Null if there
    is no estimate. """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        phase: None | str
        phase = self.phase

        done = self.done

        total: int | None
        total = self.total

        percent: int | None
        percent = self.percent

        eta_seconds: int | None
        eta_seconds = self.eta_seconds

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "phase": phase,
                "done": done,
                "total": total,
                "percent": percent,
                "eta_seconds": eta_seconds,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)

        def _parse_phase(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        phase = _parse_phase(d.pop("phase"))

        done = d.pop("done")

        def _parse_total(data: object) -> int | None:
            if data is None:
                return data
            return cast(int | None, data)

        total = _parse_total(d.pop("total"))

        def _parse_percent(data: object) -> int | None:
            if data is None:
                return data
            return cast(int | None, data)

        percent = _parse_percent(d.pop("percent"))

        def _parse_eta_seconds(data: object) -> int | None:
            if data is None:
                return data
            return cast(int | None, data)

        eta_seconds = _parse_eta_seconds(d.pop("eta_seconds"))

        progress = cls(
            phase=phase,
            done=done,
            total=total,
            percent=percent,
            eta_seconds=eta_seconds,
        )

        progress.additional_properties = d
        return progress

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
