from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

if TYPE_CHECKING:
    from ..models.clio_record import ClioRecord
    from ..models.code_detail import CodeDetail


T = TypeVar("T", bound="Activity")


@_attrs_define
class Activity:
    """An activity, and how far it is on its way to Clio."""

    id: str
    """ The id of the activity (`act_…`). """
    kind: str
    """ What the user did. Known values: `email`, `note`, `phone_call`, `handwritten_card`, `text_message`. """
    status: str
    """ `queued`: it waits to be sent. `sending`: it is being sent, or this service checks if Clio has it.
    `written`: Clio has it. `skipped`: it is never written. `blocked`: the author must connect to Clio first, or be
    in the directory of users: see `reason`. `failed`: it is not tried again by itself. `cancelled`: somebody
    cancelled it. Known values: `queued`, `sending`, `written`, `skipped`, `blocked`, `failed`, `cancelled`. """
    reason: None | str
    """ A stable code that explains the status, for example `not_linked` or `needs_connection`. Null if none is
    needed. """
    attempts: int
    """ How often it was sent to Clio. """
    clio: ClioRecord | None
    """ The record in Clio. Null until it is written. """
    problem: CodeDetail | None
    """ What is wrong and what to do about it; its code is `reason`. Null if nothing is wrong. """
    created_at: datetime.datetime
    """ When the activity was accepted (RFC 3339, UTC). """
    written_at: datetime.datetime | None
    """ When it was certain that Clio has it (RFC 3339, UTC). Null until then. """
    user_id: str
    """ Levitate's id of the user who did it. """
    contact_id: None | str
    """ Our id of the contact. Null if the request gave only a Clio id that is not known here. """
    clio_contact_id: None | str
    """ Clio's id of the contact. Null if the request gave only an id of ours that is not known here. """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        from ..models.clio_record import ClioRecord  # noqa: PLC0415
        from ..models.code_detail import CodeDetail  # noqa: PLC0415

        id = self.id

        kind = self.kind

        status = self.status

        reason: None | str
        reason = self.reason

        attempts = self.attempts

        clio: dict[str, Any] | None
        if isinstance(self.clio, ClioRecord):
            clio = self.clio.to_dict()
        else:
            clio = self.clio

        problem: dict[str, Any] | None
        if isinstance(self.problem, CodeDetail):
            problem = self.problem.to_dict()
        else:
            problem = self.problem

        created_at = self.created_at.isoformat()

        written_at: None | str
        if isinstance(self.written_at, datetime.datetime):
            written_at = self.written_at.isoformat()
        else:
            written_at = self.written_at

        user_id = self.user_id

        contact_id: None | str
        contact_id = self.contact_id

        clio_contact_id: None | str
        clio_contact_id = self.clio_contact_id

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "id": id,
                "kind": kind,
                "status": status,
                "reason": reason,
                "attempts": attempts,
                "clio": clio,
                "problem": problem,
                "created_at": created_at,
                "written_at": written_at,
                "user_id": user_id,
                "contact_id": contact_id,
                "clio_contact_id": clio_contact_id,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.clio_record import ClioRecord  # noqa: PLC0415
        from ..models.code_detail import CodeDetail  # noqa: PLC0415

        d = dict(src_dict)
        id = d.pop("id")

        kind = d.pop("kind")

        status = d.pop("status")

        def _parse_reason(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        reason = _parse_reason(d.pop("reason"))

        attempts = d.pop("attempts")

        def _parse_clio(data: object) -> ClioRecord | None:
            if data is None:
                return data
            try:
                if not isinstance(data, dict):
                    raise TypeError()
                clio_type_0 = ClioRecord.from_dict(data)

                return clio_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(ClioRecord | None, data)

        clio = _parse_clio(d.pop("clio"))

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

        def _parse_written_at(data: object) -> datetime.datetime | None:
            if data is None:
                return data
            try:
                if not isinstance(data, str):
                    raise TypeError()
                written_at_type_0 = datetime.datetime.fromisoformat(data)

                return written_at_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(datetime.datetime | None, data)

        written_at = _parse_written_at(d.pop("written_at"))

        user_id = d.pop("user_id")

        def _parse_contact_id(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        contact_id = _parse_contact_id(d.pop("contact_id"))

        def _parse_clio_contact_id(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        clio_contact_id = _parse_clio_contact_id(d.pop("clio_contact_id"))

        activity = cls(
            id=id,
            kind=kind,
            status=status,
            reason=reason,
            attempts=attempts,
            clio=clio,
            problem=problem,
            created_at=created_at,
            written_at=written_at,
            user_id=user_id,
            contact_id=contact_id,
            clio_contact_id=clio_contact_id,
        )

        activity.additional_properties = d
        return activity

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
