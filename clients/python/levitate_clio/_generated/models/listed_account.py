from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast

from attrs import define as _attrs_define

if TYPE_CHECKING:
    from ..models.clio_firm import ClioFirm
    from ..models.health_reason import HealthReason
    from ..models.run import Run
    from ..models.status_connections import StatusConnections


T = TypeVar("T", bound="ListedAccount")


@_attrs_define
class ListedAccount:
    """An account with its health at a glance."""

    name: str
    """ The name of the firm. """
    time_zone: str
    """ The firm's time zone. Older accounts may have one that can no longer be chosen; one that is unknown counts
    as UTC. """
    country: str
    """ The firm's country (ISO 3166 alpha-2). Phone numbers without a country code belong to it. """
    primary_user_id: None | str
    """ Levitate's id of the user who owns contacts without an attorney, if the settings say so. Null for nobody.
    """
    enabled: bool
    """ Whether the integration is on. While it is off, no new work with Clio starts; all data is kept. """
    publish: str
    """ How contacts reach Levitate for the first time: `automatic`, or `after_review` by a person. Known values:
    `automatic`, `after_review`. """
    id: str
    """ Levitate's id of the account, as in the path. """
    clio: ClioFirm | None
    """ The firm in Clio. Null until the first login is connected. """
    created_at: datetime.datetime
    """ When the account was created (RFC 3339, UTC). """
    updated_at: datetime.datetime
    """ When the account was last saved with `PUT` or `PATCH` (RFC 3339, UTC). """
    health: str
    """ As in the status of the account, which is computed when it is read. This one is stored, and follows a change
    within seconds. Known values: `ok`, `degraded`, `needs_attention`, `disabled`. """
    health_reasons: list[HealthReason]
    """ Why the health is not `ok`, the gravest reasons first. Empty if it is `ok`, and in the first seconds of a
    new account. """
    last_successful_run_at: datetime.datetime | None
    """ When the newest run that succeeded and read all lists of all logins ended (RFC 3339, UTC). It follows such a
    run within seconds. Null if none did. """
    connections: StatusConnections
    """ The numbers of connections that work and that need their users. """
    open_issues: int
    """ The number of open issues, of all severities. """
    run: None | Run
    """ The newest run, ended or not. Null if there was none. """

    def to_dict(self) -> dict[str, Any]:
        from ..models.clio_firm import ClioFirm  # noqa: PLC0415
        from ..models.run import Run  # noqa: PLC0415

        name = self.name

        time_zone = self.time_zone

        country = self.country

        primary_user_id: None | str
        primary_user_id = self.primary_user_id

        enabled = self.enabled

        publish = self.publish

        id = self.id

        clio: dict[str, Any] | None
        if isinstance(self.clio, ClioFirm):
            clio = self.clio.to_dict()
        else:
            clio = self.clio

        created_at = self.created_at.isoformat()

        updated_at = self.updated_at.isoformat()

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

        connections = self.connections.to_dict()

        open_issues = self.open_issues

        run: dict[str, Any] | None
        if isinstance(self.run, Run):
            run = self.run.to_dict()
        else:
            run = self.run

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "name": name,
                "time_zone": time_zone,
                "country": country,
                "primary_user_id": primary_user_id,
                "enabled": enabled,
                "publish": publish,
                "id": id,
                "clio": clio,
                "created_at": created_at,
                "updated_at": updated_at,
                "health": health,
                "health_reasons": health_reasons,
                "last_successful_run_at": last_successful_run_at,
                "connections": connections,
                "open_issues": open_issues,
                "run": run,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.clio_firm import ClioFirm  # noqa: PLC0415
        from ..models.health_reason import HealthReason  # noqa: PLC0415
        from ..models.run import Run  # noqa: PLC0415
        from ..models.status_connections import StatusConnections  # noqa: PLC0415

        d = dict(src_dict)
        name = d.pop("name")

        time_zone = d.pop("time_zone")

        country = d.pop("country")

        def _parse_primary_user_id(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        primary_user_id = _parse_primary_user_id(d.pop("primary_user_id"))

        enabled = d.pop("enabled")

        publish = d.pop("publish")

        id = d.pop("id")

        def _parse_clio(data: object) -> ClioFirm | None:
            if data is None:
                return data
            try:
                if not isinstance(data, dict):
                    raise TypeError()
                clio_type_0 = ClioFirm.from_dict(data)

                return clio_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(ClioFirm | None, data)

        clio = _parse_clio(d.pop("clio"))

        created_at = datetime.datetime.fromisoformat(d.pop("created_at"))

        updated_at = datetime.datetime.fromisoformat(d.pop("updated_at"))

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

        connections = StatusConnections.from_dict(d.pop("connections"))

        open_issues = d.pop("open_issues")

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

        listed_account = cls(
            name=name,
            time_zone=time_zone,
            country=country,
            primary_user_id=primary_user_id,
            enabled=enabled,
            publish=publish,
            id=id,
            clio=clio,
            created_at=created_at,
            updated_at=updated_at,
            health=health,
            health_reasons=health_reasons,
            last_successful_run_at=last_successful_run_at,
            connections=connections,
            open_issues=open_issues,
            run=run,
        )

        return listed_account
