from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

T = TypeVar("T", bound="NewClientDelivery")


@_attrs_define
class NewClientDelivery:
    """The delivery of a `client.new` event to a webhook endpoint."""

    event_id: str
    """ The id of the event, which receivers see as `webhook-id`. """
    status: str
    """ `pending`: it is tried again. `delivered`: the receiver accepted it. `failed`: it was tried for three days.
    Known values: `pending`, `delivered`, `failed`. """
    attempts: int
    """ The number of attempts. """
    response_status: int | None
    """ The HTTP status of the last response. Null before the first attempt and if there was no response. """
    delivered_at: datetime.datetime | None
    """ When the receiver accepted the event (RFC 3339, UTC). Null until then. """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        event_id = self.event_id

        status = self.status

        attempts = self.attempts

        response_status: int | None
        response_status = self.response_status

        delivered_at: None | str
        if isinstance(self.delivered_at, datetime.datetime):
            delivered_at = self.delivered_at.isoformat()
        else:
            delivered_at = self.delivered_at

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "event_id": event_id,
                "status": status,
                "attempts": attempts,
                "response_status": response_status,
                "delivered_at": delivered_at,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        event_id = d.pop("event_id")

        status = d.pop("status")

        attempts = d.pop("attempts")

        def _parse_response_status(data: object) -> int | None:
            if data is None:
                return data
            return cast(int | None, data)

        response_status = _parse_response_status(d.pop("response_status"))

        def _parse_delivered_at(data: object) -> datetime.datetime | None:
            if data is None:
                return data
            try:
                if not isinstance(data, str):
                    raise TypeError()
                delivered_at_type_0 = datetime.datetime.fromisoformat(data)

                return delivered_at_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(datetime.datetime | None, data)

        delivered_at = _parse_delivered_at(d.pop("delivered_at"))

        new_client_delivery = cls(
            event_id=event_id,
            status=status,
            attempts=attempts,
            response_status=response_status,
            delivered_at=delivered_at,
        )

        new_client_delivery.additional_properties = d
        return new_client_delivery

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
