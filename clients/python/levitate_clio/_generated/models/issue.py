from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

if TYPE_CHECKING:
    from ..models.issue_subject import IssueSubject


T = TypeVar("T", bound="Issue")


@_attrs_define
class Issue:
    """A condition that needs attention. docs/issues.md lists the codes. It resolves by itself when its cause ends."""

    id: str
    """ The id of the issue (`iss_…`). """
    code: str
    """ A stable code to decide by. New codes can be added: handle them by `severity`. """
    severity: str
    """ `error`: the account needs a person now. `warning`: something is missing or waits. `info`: good to know.
    Known values: `info`, `warning`, `error`. """
    detail: str
    """ What happened and what to do about it, in plain words. It can change while the issue is open. """
    subject: IssueSubject
    """ The subject of an issue. """
    opened_at: datetime.datetime
    """ When the issue was opened (RFC 3339, UTC). """
    resolved_at: datetime.datetime | None
    """ When the issue was resolved (RFC 3339, UTC). Null while it is open. """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        id = self.id

        code = self.code

        severity = self.severity

        detail = self.detail

        subject = self.subject.to_dict()

        opened_at = self.opened_at.isoformat()

        resolved_at: None | str
        if isinstance(self.resolved_at, datetime.datetime):
            resolved_at = self.resolved_at.isoformat()
        else:
            resolved_at = self.resolved_at

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "id": id,
                "code": code,
                "severity": severity,
                "detail": detail,
                "subject": subject,
                "opened_at": opened_at,
                "resolved_at": resolved_at,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.issue_subject import IssueSubject  # noqa: PLC0415

        d = dict(src_dict)
        id = d.pop("id")

        code = d.pop("code")

        severity = d.pop("severity")

        detail = d.pop("detail")

        subject = IssueSubject.from_dict(d.pop("subject"))

        opened_at = datetime.datetime.fromisoformat(d.pop("opened_at"))

        def _parse_resolved_at(data: object) -> datetime.datetime | None:
            if data is None:
                return data
            try:
                if not isinstance(data, str):
                    raise TypeError()
                resolved_at_type_0 = datetime.datetime.fromisoformat(data)

                return resolved_at_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(datetime.datetime | None, data)

        resolved_at = _parse_resolved_at(d.pop("resolved_at"))

        issue = cls(
            id=id,
            code=code,
            severity=severity,
            detail=detail,
            subject=subject,
            opened_at=opened_at,
            resolved_at=resolved_at,
        )

        issue.additional_properties = d
        return issue

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
