from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

T = TypeVar("T", bound="ReportedRecord")


@_attrs_define
class ReportedRecord:
    """One row of a run's report: a contact that changed, a record that waits or could not be read, or a problem."""

    outcome: str
    """ What happened. `added`, `updated`, `out_of_scope`, `deleted`: the contact changed like this. `erased` does
    not occur. `held`: the contact would leave, but waits for a decision. `skipped`: a person without name and email
    address. `quarantined`: a record that cannot be read. `problem`: a problem of the run. `count`: a count of
    `noted` (CSV only). Known values: `added`, `updated`, `out_of_scope`, `deleted`, `erased`, `skipped`, `held`,
    `quarantined`, `problem`, `count`. """
    kind: str
    """ What the row is about: a contact, a matter, a relationship, or the run itself. Known values: `contact`,
    `matter`, `relationship`, `run`. """
    contact_id: None | str
    """ Our id of the contact. Null in rows that are not about a contact in Levitate. """
    clio_id: None | str
    """ Clio's id of the record. Null if it is not known, and in rows about the run. """
    changed_fields: list[str]
    """ The names of the contact's fields that changed, without their values. """
    tags_added: list[str]
    """ The labels of the tags that the contact got. """
    tags_removed: list[str]
    """ The labels of the tags that the contact lost. """
    owner: None | str
    """ Levitate's id of the new owner. Null if the owner did not change or there is none now. """
    detail: None | str
    """ Why the contact is out of scope, why the record cannot be read, or what went wrong. Null if there is nothing
    to say. """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        outcome = self.outcome

        kind = self.kind

        contact_id: None | str
        contact_id = self.contact_id

        clio_id: None | str
        clio_id = self.clio_id

        changed_fields = self.changed_fields

        tags_added = self.tags_added

        tags_removed = self.tags_removed

        owner: None | str
        owner = self.owner

        detail: None | str
        detail = self.detail

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "outcome": outcome,
                "kind": kind,
                "contact_id": contact_id,
                "clio_id": clio_id,
                "changed_fields": changed_fields,
                "tags_added": tags_added,
                "tags_removed": tags_removed,
                "owner": owner,
                "detail": detail,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        outcome = d.pop("outcome")

        kind = d.pop("kind")

        def _parse_contact_id(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        contact_id = _parse_contact_id(d.pop("contact_id"))

        def _parse_clio_id(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        clio_id = _parse_clio_id(d.pop("clio_id"))

        changed_fields = cast(list[str], d.pop("changed_fields"))

        tags_added = cast(list[str], d.pop("tags_added"))

        tags_removed = cast(list[str], d.pop("tags_removed"))

        def _parse_owner(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        owner = _parse_owner(d.pop("owner"))

        def _parse_detail(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        detail = _parse_detail(d.pop("detail"))

        reported_record = cls(
            outcome=outcome,
            kind=kind,
            contact_id=contact_id,
            clio_id=clio_id,
            changed_fields=changed_fields,
            tags_added=tags_added,
            tags_removed=tags_removed,
            owner=owner,
            detail=detail,
        )

        reported_record.additional_properties = d
        return reported_record

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
