from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

if TYPE_CHECKING:
    from ..models.new_clients_summary import NewClientsSummary
    from ..models.preview_summary import PreviewSummary


T = TypeVar("T", bound="Hold")


@_attrs_define
class Hold:
    """Removals, announcements or a first publication that wait for a person's decision."""

    id: str
    """ The id of the hold (`hld_…`). """
    kind: str
    """ `removals`: contacts that would leave Levitate. `new_clients`: new clients who would be announced.
    `first_publication`: everybody who would be published, and never was. Known values: `removals`, `new_clients`,
    `first_publication`. """
    status: str
    """ `open`: a person must decide. `released`: a person let it happen. `discarded`: a person cancelled it. Known
    values: `open`, `released`, `discarded`. """
    run_id: str
    """ The id of the run that found the changes; of a first publication, the run that opened the hold. """
    count: int
    """ The number of contacts that wait in the hold. It falls when some are decided, while a decision is carried
    out, and when a cause ends. """
    contact_clio_ids: list[str]
    """ Clio's ids of the contacts in the hold, the lowest 100 at most. """
    summary: NewClientsSummary | None | PreviewSummary
    """ What the new clients are who wait, or what a first publication would do, in the form of a preview. Null for
    removals, for a hold that is decided, and for a first publication if the acting user is limited. """
    opened_at: datetime.datetime
    """ When the run found the first of the changes (RFC 3339, UTC). """
    decided_at: datetime.datetime | None
    """ When a person released or discarded the hold (RFC 3339, UTC). Null while it is open. """
    decided_by: None | str
    """ Levitate's id of the user who decided. Null while it is open, and if the request named nobody. """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        from ..models.new_clients_summary import NewClientsSummary  # noqa: PLC0415
        from ..models.preview_summary import PreviewSummary  # noqa: PLC0415

        id = self.id

        kind = self.kind

        status = self.status

        run_id = self.run_id

        count = self.count

        contact_clio_ids = self.contact_clio_ids

        summary: dict[str, Any] | None
        if isinstance(self.summary, NewClientsSummary):
            summary = self.summary.to_dict()
        elif isinstance(self.summary, PreviewSummary):
            summary = self.summary.to_dict()
        else:
            summary = self.summary

        opened_at = self.opened_at.isoformat()

        decided_at: None | str
        if isinstance(self.decided_at, datetime.datetime):
            decided_at = self.decided_at.isoformat()
        else:
            decided_at = self.decided_at

        decided_by: None | str
        decided_by = self.decided_by

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "id": id,
                "kind": kind,
                "status": status,
                "run_id": run_id,
                "count": count,
                "contact_clio_ids": contact_clio_ids,
                "summary": summary,
                "opened_at": opened_at,
                "decided_at": decided_at,
                "decided_by": decided_by,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.new_clients_summary import NewClientsSummary  # noqa: PLC0415
        from ..models.preview_summary import PreviewSummary  # noqa: PLC0415

        d = dict(src_dict)
        id = d.pop("id")

        kind = d.pop("kind")

        status = d.pop("status")

        run_id = d.pop("run_id")

        count = d.pop("count")

        contact_clio_ids = cast(list[str], d.pop("contact_clio_ids"))

        def _parse_summary(data: object) -> NewClientsSummary | None | PreviewSummary:
            if data is None:
                return data
            try:
                if not isinstance(data, dict):
                    raise TypeError()
                summary_type_0 = NewClientsSummary.from_dict(data)

                return summary_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            try:
                if not isinstance(data, dict):
                    raise TypeError()
                summary_type_1 = PreviewSummary.from_dict(data)

                return summary_type_1
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(NewClientsSummary | None | PreviewSummary, data)

        summary = _parse_summary(d.pop("summary"))

        opened_at = datetime.datetime.fromisoformat(d.pop("opened_at"))

        def _parse_decided_at(data: object) -> datetime.datetime | None:
            if data is None:
                return data
            try:
                if not isinstance(data, str):
                    raise TypeError()
                decided_at_type_0 = datetime.datetime.fromisoformat(data)

                return decided_at_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(datetime.datetime | None, data)

        decided_at = _parse_decided_at(d.pop("decided_at"))

        def _parse_decided_by(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        decided_by = _parse_decided_by(d.pop("decided_by"))

        hold = cls(
            id=id,
            kind=kind,
            status=status,
            run_id=run_id,
            count=count,
            contact_clio_ids=contact_clio_ids,
            summary=summary,
            opened_at=opened_at,
            decided_at=decided_at,
            decided_by=decided_by,
        )

        hold.additional_properties = d
        return hold

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
