from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

if TYPE_CHECKING:
    from ..models.code_detail import CodeDetail
    from ..models.erasure_subject import ErasureSubject


T = TypeVar("T", bound="Erasure")


@_attrs_define
class Erasure:
    """The receipt of an erasure. It contains ids only, and is kept for a year after the erasure has ended."""

    id: str
    """ The id of the erasure (`era_…`). """
    subject: ErasureSubject
    """ What was erased. """
    status: str
    """ `running`: data is being deleted, or Clio must still be told that logins have ended. `done`: nothing is
    left. `incomplete`: nothing is left here, but `remaining` says what a person must end in Clio. Known values:
    `running`, `done`, `incomplete`. """
    requested_by: None | str
    """ Levitate's id of the user who requested the erasure. Null if the request named no user. """
    requested_at: datetime.datetime
    """ When the erasure was requested (RFC 3339, UTC). """
    finished_at: datetime.datetime | None
    """ When the erasure ended (RFC 3339, UTC). Null while it is running. """
    remaining: list[CodeDetail]
    """ What is left. Of an account what is left to do: `data`: rows are being deleted. `deauthorization`: Clio has
    not confirmed the end of a login; it is told again. `deauthorization_failed`: a person must end this login's
    access in Clio. At most 100 logins are listed; empty when the erasure is done. Of a contact what is kept for a
    reason: `kept_hash`, `kept_feed_line`, `kept_audit`, `kept_matters`. """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        id = self.id

        subject = self.subject.to_dict()

        status = self.status

        requested_by: None | str
        requested_by = self.requested_by

        requested_at = self.requested_at.isoformat()

        finished_at: None | str
        if isinstance(self.finished_at, datetime.datetime):
            finished_at = self.finished_at.isoformat()
        else:
            finished_at = self.finished_at

        remaining = []
        for remaining_item_data in self.remaining:
            remaining_item = remaining_item_data.to_dict()
            remaining.append(remaining_item)

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "id": id,
                "subject": subject,
                "status": status,
                "requested_by": requested_by,
                "requested_at": requested_at,
                "finished_at": finished_at,
                "remaining": remaining,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.code_detail import CodeDetail  # noqa: PLC0415
        from ..models.erasure_subject import ErasureSubject  # noqa: PLC0415

        d = dict(src_dict)
        id = d.pop("id")

        subject = ErasureSubject.from_dict(d.pop("subject"))

        status = d.pop("status")

        def _parse_requested_by(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        requested_by = _parse_requested_by(d.pop("requested_by"))

        requested_at = datetime.datetime.fromisoformat(d.pop("requested_at"))

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

        remaining = []
        _remaining = d.pop("remaining")
        for remaining_item_data in _remaining:
            remaining_item = CodeDetail.from_dict(remaining_item_data)

            remaining.append(remaining_item)

        erasure = cls(
            id=id,
            subject=subject,
            status=status,
            requested_by=requested_by,
            requested_at=requested_at,
            finished_at=finished_at,
            remaining=remaining,
        )

        erasure.additional_properties = d
        return erasure

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
