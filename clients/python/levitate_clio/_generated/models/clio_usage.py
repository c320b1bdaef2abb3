from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

T = TypeVar("T", bound="ClioUsage")


@_attrs_define
class ClioUsage:
    """A run's requests to Clio."""

    requests: int
    """ All requests. """
    rate_limited: int
    """ Requests that Clio refused because of its rate limit. """
    waited_seconds: float
    """ The time spent waiting for the rate limit, in seconds. """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        requests = self.requests

        rate_limited = self.rate_limited

        waited_seconds = self.waited_seconds

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "requests": requests,
                "rate_limited": rate_limited,
                "waited_seconds": waited_seconds,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        requests = d.pop("requests")

        rate_limited = d.pop("rate_limited")

        waited_seconds = d.pop("waited_seconds")

        clio_usage = cls(
            requests=requests,
            rate_limited=rate_limited,
            waited_seconds=waited_seconds,
        )

        clio_usage.additional_properties = d
        return clio_usage

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
