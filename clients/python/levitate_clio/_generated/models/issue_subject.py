from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

T = TypeVar("T", bound="IssueSubject")


@_attrs_define
class IssueSubject:
    """The subject of an issue."""

    kind: str
    """ What it is: `account`, `connection`, `contact`, `matter`, `relationship`, `hold`, `setting`,
    `webhook_endpoint`, or a list of Clio such as `contacts`. New kinds can be added. """
    id: str
    """ Its id: ours, Clio's for a record, a connection's for a list, a JSON pointer for a setting. Empty if it is
    the whole account. """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        kind = self.kind

        id = self.id

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "kind": kind,
                "id": id,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        kind = d.pop("kind")

        id = d.pop("id")

        issue_subject = cls(
            kind=kind,
            id=id,
        )

        issue_subject.additional_properties = d
        return issue_subject

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
