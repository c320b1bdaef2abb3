from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

if TYPE_CHECKING:
    from ..models.coverage import Coverage
    from ..models.health_reason import HealthReason
    from ..models.run import Run
    from ..models.status_connections import StatusConnections
    from ..models.status_contacts import StatusContacts


T = TypeVar("T", bound="Status")


@_attrs_define
class Status:
    """The status of an account at a glance."""

    health: str
    """ `ok`: everything works. `degraded`: an issue of severity `warning` is open, or no run has read all lists for
    two slots. `needs_attention`: no login works, or an issue of severity `error` is open. `disabled`: the
    integration is off. Known values: `ok`, `degraded`, `needs_attention`, `disabled`. """
    health_reasons: list[HealthReason]
    """ Why the health is not `ok`, the gravest reasons first. Empty if it is `ok`. """
    last_successful_run_at: datetime.datetime | None
    """ When the newest run that succeeded and read all lists of all logins ended (RFC 3339, UTC): an `initial` or
    `full` run, or an `incremental` one whose `reads` is `lists`. Null if none did. """
    next_run_at: datetime.datetime | None
    """ When the next scheduled run is due (RFC 3339, UTC). Null while the account is disabled or no login works.
    """
    connections: StatusConnections
    """ The numbers of connections that work and that need their users. """
    contacts: StatusContacts
    """ The numbers of contacts by state. Only contacts that were once in scope count. """
    run: None | Run
    """ The newest run, ended or not. Null if there was none. """
    open_issues: int
    """ The number of open issues, of all severities. """
    coverage: list[Coverage]
    """ What each login sees, for all logins that were ever connected. """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        from ..models.run import Run  # noqa: PLC0415

        health = self.health

        health_reasons = []
        for health_reasons_item_data in self.health_reasons:
            health_reasons_item = health_reasons_item_data.to_dict()
            health_reasons.append(health_reasons_item)

        last_successful_run_at: None | str
        if isinstance(self.last_successful_run_at, datetime.datetime):
            last_successful_run_at = self.last_successful_run_at.isoformat()
        else:
            last_successful_run_at = self.last_successful_run_at

        next_run_at: None | str
        if isinstance(self.next_run_at, datetime.datetime):
            next_run_at = self.next_run_at.isoformat()
        else:
            next_run_at = self.next_run_at

        connections = self.connections.to_dict()

        contacts = self.contacts.to_dict()

        run: dict[str, Any] | None
        if isinstance(self.run, Run):
            run = self.run.to_dict()
        else:
            run = self.run

        open_issues = self.open_issues

        coverage = []
        for coverage_item_data in self.coverage:
            coverage_item = coverage_item_data.to_dict()
            coverage.append(coverage_item)

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "health": health,
                "health_reasons": health_reasons,
                "last_successful_run_at": last_successful_run_at,
                "next_run_at": next_run_at,
                "connections": connections,
                "contacts": contacts,
                "run": run,
                "open_issues": open_issues,
                "coverage": coverage,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.coverage import Coverage  # noqa: PLC0415
        from ..models.health_reason import HealthReason  # noqa: PLC0415
        from ..models.run import Run  # noqa: PLC0415
        from ..models.status_connections import StatusConnections  # noqa: PLC0415
        from ..models.status_contacts import StatusContacts  # noqa: PLC0415

        d = dict(src_dict)
        health = d.pop("health")

        health_reasons = []
        _health_reasons = d.pop("health_reasons")
        for health_reasons_item_data in _health_reasons:
            health_reasons_item = HealthReason.from_dict(health_reasons_item_data)

            health_reasons.append(health_reasons_item)

        def _parse_last_successful_run_at(data: object) -> datetime.datetime | None:
            if data is None:
                return data
            try:
                if not isinstance(data, str):
                    raise TypeError()
                last_successful_run_at_type_0 = datetime.datetime.fromisoformat(data)

                return last_successful_run_at_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(datetime.datetime | None, data)

        last_successful_run_at = _parse_last_successful_run_at(d.pop("last_successful_run_at"))

        def _parse_next_run_at(data: object) -> datetime.datetime | None:
            if data is None:
                return data
            try:
                if not isinstance(data, str):
                    raise TypeError()
                next_run_at_type_0 = datetime.datetime.fromisoformat(data)

                return next_run_at_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(datetime.datetime | None, data)

        next_run_at = _parse_next_run_at(d.pop("next_run_at"))

        connections = StatusConnections.from_dict(d.pop("connections"))

        contacts = StatusContacts.from_dict(d.pop("contacts"))

        def _parse_run(data: object) -> None | Run:
            if data is None:
                return data
            try:
                if not isinstance(data, dict):
                    raise TypeError()
                run_type_0 = Run.from_dict(data)

                return run_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(None | Run, data)

        run = _parse_run(d.pop("run"))

        open_issues = d.pop("open_issues")

        coverage = []
        _coverage = d.pop("coverage")
        for coverage_item_data in _coverage:
            coverage_item = Coverage.from_dict(coverage_item_data)

            coverage.append(coverage_item)

        status = cls(
            health=health,
            health_reasons=health_reasons,
            last_successful_run_at=last_successful_run_at,
            next_run_at=next_run_at,
            connections=connections,
            contacts=contacts,
            run=run,
            open_issues=open_issues,
            coverage=coverage,
        )

        status.additional_properties = d
        return status

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
