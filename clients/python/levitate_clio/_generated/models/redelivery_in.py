from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any, TypeVar, cast

from attrs import define as _attrs_define

from ..models.redelivery_in_status_type_0 import (
    RedeliveryInStatusType0,
    check_redelivery_in_status_type_0,
)
from ..types import UNSET, Unset

T = TypeVar("T", bound="RedeliveryIn")


@_attrs_define
class RedeliveryIn:
    """Which events are sent again."""

    since: datetime.datetime
    """ Only events from this time on. """
    until: datetime.datetime | None | Unset = UNSET
    """ Only events before this time. Null for all until now. """
    status: None | RedeliveryInStatusType0 | Unset = UNSET
    """ Only deliveries with this status now. Null for all that are not pending. """

    def to_dict(self) -> dict[str, Any]:
        since = self.since.isoformat()

        until: None | str | Unset
        if isinstance(self.until, Unset):
            until = UNSET
        elif isinstance(self.until, datetime.datetime):
            until = self.until.isoformat()
        else:
            until = self.until

        status: None | str | Unset
        if isinstance(self.status, Unset):
            status = UNSET
        elif isinstance(self.status, str):
            status = self.status
        else:
            status = self.status

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "since": since,
            }
        )
        if until is not UNSET:
            field_dict["until"] = until
        if status is not UNSET:
            field_dict["status"] = status

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        since = datetime.datetime.fromisoformat(d.pop("since"))

        def _parse_until(data: object) -> datetime.datetime | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            try:
                if not isinstance(data, str):
                    raise TypeError()
                until_type_0 = datetime.datetime.fromisoformat(data)

                return until_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(datetime.datetime | None | Unset, data)

        until = _parse_until(d.pop("until", UNSET))

        def _parse_status(data: object) -> None | RedeliveryInStatusType0 | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            try:
                if not isinstance(data, str):
                    raise TypeError()
                status_type_0 = check_redelivery_in_status_type_0(data)

                return status_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(None | RedeliveryInStatusType0 | Unset, data)

        status = _parse_status(d.pop("status", UNSET))

        redelivery_in = cls(
            since=since,
            until=until,
            status=status,
        )

        return redelivery_in
