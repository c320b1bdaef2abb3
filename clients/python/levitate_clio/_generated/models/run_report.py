from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

if TYPE_CHECKING:
    from ..models.reported_record import ReportedRecord
    from ..models.run import Run
    from ..models.run_notes import RunNotes


T = TypeVar("T", bound="RunReport")


@_attrs_define
class RunReport:
    """A run, and everything that it changed, held or could not read."""

    run: Run
    """ A run: one pass over one account, which reads Clio and applies the rules. """
    noted: RunNotes
    """ Counts of values that a run could not use, and of contacts whose owner changed. """
    outcomes: list[ReportedRecord]
    """ The rows of the report: changes, held contacts, quarantined records (at most 10,000), skipped people (at
    most 1,000), problems. """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        run = self.run.to_dict()

        noted = self.noted.to_dict()

        outcomes = []
        for outcomes_item_data in self.outcomes:
            outcomes_item = outcomes_item_data.to_dict()
            outcomes.append(outcomes_item)

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "run": run,
                "noted": noted,
                "outcomes": outcomes,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.reported_record import ReportedRecord  # noqa: PLC0415
        from ..models.run import Run  # noqa: PLC0415
        from ..models.run_notes import RunNotes  # noqa: PLC0415

        d = dict(src_dict)
        run = Run.from_dict(d.pop("run"))

        noted = RunNotes.from_dict(d.pop("noted"))

        outcomes = []
        _outcomes = d.pop("outcomes")
        for outcomes_item_data in _outcomes:
            outcomes_item = ReportedRecord.from_dict(outcomes_item_data)

            outcomes.append(outcomes_item)

        run_report = cls(
            run=run,
            noted=noted,
            outcomes=outcomes,
        )

        run_report.additional_properties = d
        return run_report

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
