from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

if TYPE_CHECKING:
    from ..models.code_detail import CodeDetail


T = TypeVar("T", bound="Delivery")


@_attrs_define
class Delivery:
    """The delivery of one event to one webhook endpoint."""

    id: str
    """ The id of the delivery (`dlv_…`). """
    endpoint_id: str
    """ The id of the webhook endpoint. """
    account_id: str
    """ Levitate's id of the account that the event is about. """
    event_id: str
    """ The id of the event. Every attempt sends it as `webhook-id`, so that the receiver can ignore repetitions.
    """
    type_: str
    """ The type of the event, for example `client.new`. """
    status: str
    """ `pending`: not delivered yet, it is tried again. `delivered`: the receiver accepted the event. `failed`: it
    was tried for three days without success. Known values: `pending`, `delivered`, `failed`. """
    attempts: int
    """ The number of attempts, counted again from 0 after a redelivery and when the endpoint is enabled again. """
    response_status: int | None
    """ The HTTP status of the last response. Null before the first attempt and if there was no response. """
    problem: CodeDetail | None
    """ What went wrong in the last attempt. Null if nothing did. """
    created_at: datetime.datetime
    """ When the event happened (RFC 3339, UTC). """
    last_attempt_at: datetime.datetime | None
    """ When the event was last sent (RFC 3339, UTC). Null before the first attempt. """
    next_attempt_at: datetime.datetime | None
    """ The earliest time of the next attempt (RFC 3339, UTC). Null unless the delivery is pending. """
    delivered_at: datetime.datetime | None
    """ When the receiver accepted the event (RFC 3339, UTC). Null until then. """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        from ..models.code_detail import CodeDetail  # noqa: PLC0415

        id = self.id

        endpoint_id = self.endpoint_id

        account_id = self.account_id

        event_id = self.event_id

        type_ = self.type_

        status = self.status

        attempts = self.attempts

        response_status: int | None
        response_status = self.response_status

        problem: dict[str, Any] | None
        if isinstance(self.problem, CodeDetail):
            problem = self.problem.to_dict()
        else:
            problem = self.problem

        created_at = self.created_at.isoformat()

        last_attempt_at: None | str
        if isinstance(self.last_attempt_at, datetime.datetime):
            last_attempt_at = self.last_attempt_at.isoformat()
        else:
            last_attempt_at = self.last_attempt_at

        next_attempt_at: None | str
        if isinstance(self.next_attempt_at, datetime.datetime):
            next_attempt_at = self.next_attempt_at.isoformat()
        else:
            next_attempt_at = self.next_attempt_at

        delivered_at: None | str
        if isinstance(self.delivered_at, datetime.datetime):
            delivered_at = self.delivered_at.isoformat()
        else:
            delivered_at = self.delivered_at

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "id": id,
                "endpoint_id": endpoint_id,
                "account_id": account_id,
                "event_id": event_id,
                "type": type_,
                "status": status,
                "attempts": attempts,
                "response_status": response_status,
                "problem": problem,
                "created_at": created_at,
                "last_attempt_at": last_attempt_at,
                "next_attempt_at": next_attempt_at,
                "delivered_at": delivered_at,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.code_detail import CodeDetail  # noqa: PLC0415

        d = dict(src_dict)
        id = d.pop("id")

        endpoint_id = d.pop("endpoint_id")

        account_id = d.pop("account_id")

        event_id = d.pop("event_id")

        type_ = d.pop("type")

        status = d.pop("status")

        attempts = d.pop("attempts")

        def _parse_response_status(data: object) -> int | None:
            if data is None:
                return data
            return cast(int | None, data)

        response_status = _parse_response_status(d.pop("response_status"))

        def _parse_problem(data: object) -> CodeDetail | None:
            if data is None:
                return data
            try:
                if not isinstance(data, dict):
                    raise TypeError()
                problem_type_0 = CodeDetail.from_dict(data)

                return problem_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(CodeDetail | None, data)

        problem = _parse_problem(d.pop("problem"))

        created_at = datetime.datetime.fromisoformat(d.pop("created_at"))

        def _parse_last_attempt_at(data: object) -> datetime.datetime | None:
            if data is None:
                return data
            try:
                if not isinstance(data, str):
                    raise TypeError()
                last_attempt_at_type_0 = datetime.datetime.fromisoformat(data)

                return last_attempt_at_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(datetime.datetime | None, data)

        last_attempt_at = _parse_last_attempt_at(d.pop("last_attempt_at"))

        def _parse_next_attempt_at(data: object) -> datetime.datetime | None:
            if data is None:
                return data
            try:
                if not isinstance(data, str):
                    raise TypeError()
                next_attempt_at_type_0 = datetime.datetime.fromisoformat(data)

                return next_attempt_at_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(datetime.datetime | None, data)

        next_attempt_at = _parse_next_attempt_at(d.pop("next_attempt_at"))

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

        delivery = cls(
            id=id,
            endpoint_id=endpoint_id,
            account_id=account_id,
            event_id=event_id,
            type_=type_,
            status=status,
            attempts=attempts,
            response_status=response_status,
            problem=problem,
            created_at=created_at,
            last_attempt_at=last_attempt_at,
            next_attempt_at=next_attempt_at,
            delivered_at=delivered_at,
        )

        delivery.additional_properties = d
        return delivery

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
