from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

if TYPE_CHECKING:
    from ..models.code_detail import CodeDetail


T = TypeVar("T", bound="WebhookEndpoint")


@_attrs_define
class WebhookEndpoint:
    """A webhook endpoint: a URL to which events are posted."""

    id: str
    """ The id of the endpoint (`whe_…`). """
    url: str
    """ The URL to which events are posted. """
    events: list[str]
    """ The types of the events that it receives. `*` means all types, also future ones. """
    description: str
    """ The text that was given when it was added. Empty if none was given. """
    status: str
    """ `enabled`: events are posted. `disabled`: nothing is posted, and events wait for at most 30 days until
    somebody enables it again. Known values: `enabled`, `disabled`. """
    problem: CodeDetail | None
    """ Why the endpoint was disabled. Null while it is enabled. """
    paused_until: datetime.datetime | None
    """ Until when nothing is posted, because the receiver has accepted nothing in several attempts (RFC 3339, UTC).
    Then one event is tried; while that is under way, the time is in the past. A test that succeeds ends the pause.
    Null if there is no pause. """
    created_at: datetime.datetime
    """ When the endpoint was added (RFC 3339, UTC). """
    updated_at: datetime.datetime
    """ When it was last changed, enabled or disabled or got a new secret (RFC 3339, UTC). """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        from ..models.code_detail import CodeDetail  # noqa: PLC0415

        id = self.id

        url = self.url

        events = self.events

        description = self.description

        status = self.status

        problem: dict[str, Any] | None
        if isinstance(self.problem, CodeDetail):
            problem = self.problem.to_dict()
        else:
            problem = self.problem

        paused_until: None | str
        if isinstance(self.paused_until, datetime.datetime):
            paused_until = self.paused_until.isoformat()
        else:
            paused_until = self.paused_until

        created_at = self.created_at.isoformat()

        updated_at = self.updated_at.isoformat()

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "id": id,
                "url": url,
                "events": events,
                "description": description,
                "status": status,
                "problem": problem,
                "paused_until": paused_until,
                "created_at": created_at,
                "updated_at": updated_at,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.code_detail import CodeDetail  # noqa: PLC0415

        d = dict(src_dict)
        id = d.pop("id")

        url = d.pop("url")

        events = cast(list[str], d.pop("events"))

        description = d.pop("description")

        status = d.pop("status")

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

        def _parse_paused_until(data: object) -> datetime.datetime | None:
            if data is None:
                return data
            try:
                if not isinstance(data, str):
                    raise TypeError()
                paused_until_type_0 = datetime.datetime.fromisoformat(data)

                return paused_until_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(datetime.datetime | None, data)

        paused_until = _parse_paused_until(d.pop("paused_until"))

        created_at = datetime.datetime.fromisoformat(d.pop("created_at"))

        updated_at = datetime.datetime.fromisoformat(d.pop("updated_at"))

        webhook_endpoint = cls(
            id=id,
            url=url,
            events=events,
            description=description,
            status=status,
            problem=problem,
            paused_until=paused_until,
            created_at=created_at,
            updated_at=updated_at,
        )

        webhook_endpoint.additional_properties = d
        return webhook_endpoint

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
