from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any, Literal, TypeVar, cast

from attrs import define as _attrs_define

from ..models.new_client_filter_origin_type_0 import (
    NewClientFilterOriginType0,
    check_new_client_filter_origin_type_0,
)
from ..types import UNSET, Unset

T = TypeVar("T", bound="NewClientFilter")


@_attrs_define
class NewClientFilter:
    """The held new clients that are meant. Without a field it means all of them."""

    status: Literal["held"] | Unset = UNSET
    """ Only `held`: nobody else waits for a decision. """
    origin: NewClientFilterOriginType0 | None | Unset = UNSET
    """ Only new clients of this origin. """
    run_id: None | str | Unset = UNSET
    """ Only new clients that this run found. """
    since: datetime.datetime | None | Unset = UNSET
    """ Only new clients whose `created_at` is not before this time. """
    until: datetime.datetime | None | Unset = UNSET
    """ Only new clients whose `created_at` is before this time. """

    def to_dict(self) -> dict[str, Any]:
        status = self.status

        origin: None | str | Unset
        if isinstance(self.origin, Unset):
            origin = UNSET
        elif isinstance(self.origin, str):
            origin = self.origin
        else:
            origin = self.origin

        run_id: None | str | Unset
        if isinstance(self.run_id, Unset):
            run_id = UNSET
        else:
            run_id = self.run_id

        since: None | str | Unset
        if isinstance(self.since, Unset):
            since = UNSET
        elif isinstance(self.since, datetime.datetime):
            since = self.since.isoformat()
        else:
            since = self.since

        until: None | str | Unset
        if isinstance(self.until, Unset):
            until = UNSET
        elif isinstance(self.until, datetime.datetime):
            until = self.until.isoformat()
        else:
            until = self.until

        field_dict: dict[str, Any] = {}

        field_dict.update({})
        if status is not UNSET:
            field_dict["status"] = status
        if origin is not UNSET:
            field_dict["origin"] = origin
        if run_id is not UNSET:
            field_dict["run_id"] = run_id
        if since is not UNSET:
            field_dict["since"] = since
        if until is not UNSET:
            field_dict["until"] = until

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        status = cast(Literal["held"] | Unset, d.pop("status", UNSET))
        if status != "held" and not isinstance(status, Unset):
            raise ValueError(f"status must match const 'held', got '{status}'")

        def _parse_origin(data: object) -> NewClientFilterOriginType0 | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            try:
                if not isinstance(data, str):
                    raise TypeError()
                origin_type_0 = check_new_client_filter_origin_type_0(data)

                return origin_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(NewClientFilterOriginType0 | None | Unset, data)

        origin = _parse_origin(d.pop("origin", UNSET))

        def _parse_run_id(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, data)

        run_id = _parse_run_id(d.pop("run_id", UNSET))

        def _parse_since(data: object) -> datetime.datetime | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            try:
                if not isinstance(data, str):
                    raise TypeError()
                since_type_0 = datetime.datetime.fromisoformat(data)

                return since_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(datetime.datetime | None | Unset, data)

        since = _parse_since(d.pop("since", UNSET))

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

        new_client_filter = cls(
            status=status,
            origin=origin,
            run_id=run_id,
            since=since,
            until=until,
        )

        return new_client_filter
