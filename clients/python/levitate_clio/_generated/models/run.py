from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

if TYPE_CHECKING:
    from ..models.clio_usage import ClioUsage
    from ..models.progress import Progress
    from ..models.run_counts import RunCounts
    from ..models.run_problem import RunProblem


T = TypeVar("T", bound="Run")


@_attrs_define
class Run:
    """A run: one pass over one account, which reads Clio and applies the rules."""

    id: str
    """ The id of the run (`run_…`). """
    kind: str
    """ What the run does. `initial`: the first run, it reads everything. `incremental`: it reads what changed.
    `full`: it reads everything again. `coverage`: it reads what a new login sees. `rederive`: it applies the rules
    again and reads nothing. `contact`: it reads one contact. Known values: `initial`, `incremental`, `full`,
    `coverage`, `rederive`, `contact`. """
    reads: str
    """ What the run reads of Clio. `lists`: whole lists. `records`: single records, which a person or webhooks of
    Clio named. `nothing`: it only applies the rules again. Only a run that reads lists can be the answer to a
    request for an `incremental` or `full` run, and only such a run counts for `last_successful_run_at`. Known
    values: `lists`, `records`, `nothing`. """
    trigger: str
    """ Why the run was requested: a time of the schedule, a new login (`connect`), a person (`manual`), changed
    settings, changed users or attorneys (`users`), a webhook of Clio, or a release whose rules differ (`upgrade`).
    Known values: `schedule`, `connect`, `manual`, `settings`, `users`, `webhook`, `upgrade`. """
    status: str
    """ `queued`: it waits. `running`: it works. `interrupted`: it continues by itself. `succeeded`, `failed` and
    `cancelled`: it has ended. Known values: `queued`, `running`, `succeeded`, `interrupted`, `failed`, `cancelled`.
    """
    slot: None | str
    """ The scheduled date and time that the run serves, as `YYYY-MM-DD HH:MM` in the account's time zone. A run
    with another trigger has one if it was queued when the time came. Null if it serves none. """
    settings_version: int
    """ The version of the settings that the run applies. It is fixed when the run begins. """
    queued_at: datetime.datetime
    """ When the run was requested (RFC 3339, UTC). """
    started_at: datetime.datetime | None
    """ When the run first began to work (RFC 3339, UTC). Null until then. """
    finished_at: datetime.datetime | None
    """ When the run ended (RFC 3339, UTC). Null until then, also while it is interrupted. """
    progress: Progress
    """ The progress of a run. Its numbers count records read from Clio and contacts assessed. """
    counts: RunCounts
    """ The counts of a run. """
    clio: ClioUsage
    """ A run's requests to Clio. """
    problems: list[RunProblem]
    """ What went wrong, and what to do about it. A run can succeed with problems. """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        id = self.id

        kind = self.kind

        reads = self.reads

        trigger = self.trigger

        status = self.status

        slot: None | str
        slot = self.slot

        settings_version = self.settings_version

        queued_at = self.queued_at.isoformat()

        started_at: None | str
        if isinstance(self.started_at, datetime.datetime):
            started_at = self.started_at.isoformat()
        else:
            started_at = self.started_at

        finished_at: None | str
        if isinstance(self.finished_at, datetime.datetime):
            finished_at = self.finished_at.isoformat()
        else:
            finished_at = self.finished_at

        progress = self.progress.to_dict()

        counts = self.counts.to_dict()

        clio = self.clio.to_dict()

        problems = []
        for problems_item_data in self.problems:
            problems_item = problems_item_data.to_dict()
            problems.append(problems_item)

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "id": id,
                "kind": kind,
                "reads": reads,
                "trigger": trigger,
                "status": status,
                "slot": slot,
                "settings_version": settings_version,
                "queued_at": queued_at,
                "started_at": started_at,
                "finished_at": finished_at,
                "progress": progress,
                "counts": counts,
                "clio": clio,
                "problems": problems,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.clio_usage import ClioUsage  # noqa: PLC0415
        from ..models.progress import Progress  # noqa: PLC0415
        from ..models.run_counts import RunCounts  # noqa: PLC0415
        from ..models.run_problem import RunProblem  # noqa: PLC0415

        d = dict(src_dict)
        id = d.pop("id")

        kind = d.pop("kind")

        reads = d.pop("reads")

        trigger = d.pop("trigger")

        status = d.pop("status")

        def _parse_slot(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        slot = _parse_slot(d.pop("slot"))

        settings_version = d.pop("settings_version")

        queued_at = datetime.datetime.fromisoformat(d.pop("queued_at"))

        def _parse_started_at(data: object) -> datetime.datetime | None:
            if data is None:
                return data
            try:
                if not isinstance(data, str):
                    raise TypeError()
                started_at_type_0 = datetime.datetime.fromisoformat(data)

                return started_at_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(datetime.datetime | None, data)

        started_at = _parse_started_at(d.pop("started_at"))

        def _parse_finished_at(data: object) -> datetime.datetime | None:
            if data is None:
                return data
            try:
                if not isinstance(data, str):
                    raise TypeError()
                finished_at_type_0 = datetime.datetime.fromisoformat(data)

                return finished_at_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(datetime.datetime | None, data)

        finished_at = _parse_finished_at(d.pop("finished_at"))

        progress = Progress.from_dict(d.pop("progress"))

        counts = RunCounts.from_dict(d.pop("counts"))

        clio = ClioUsage.from_dict(d.pop("clio"))

        problems = []
        _problems = d.pop("problems")
        for problems_item_data in _problems:
            problems_item = RunProblem.from_dict(problems_item_data)

            problems.append(problems_item)

        run = cls(
            id=id,
            kind=kind,
            reads=reads,
            trigger=trigger,
            status=status,
            slot=slot,
            settings_version=settings_version,
            queued_at=queued_at,
            started_at=started_at,
            finished_at=finished_at,
            progress=progress,
            counts=counts,
            clio=clio,
            problems=problems,
        )

        run.additional_properties = d
        return run

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
