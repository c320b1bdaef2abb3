from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

if TYPE_CHECKING:
    from ..models.change_fields import ChangeFields
    from ..models.contact import Contact
    from ..models.owner_change import OwnerChange


T = TypeVar("T", bound="Change")


@_attrs_define
class Change:
    """One entry of the change feed."""

    kind: str
    """ `contact.added`: first in scope, once for each contact. `contact.updated`: changed or in scope again.
    `contact.out_of_scope`: no longer in scope. `contact.deleted`: deleted in Clio. `contact.erased`: erased here;
    delete everything that you store about the person. Known values: `contact.added`, `contact.updated`,
    `contact.out_of_scope`, `contact.deleted`, `contact.erased`. """
    contact_id: str
    """ Our id of the contact. """
    clio_id: str
    """ Clio's id of the contact. """
    at: datetime.datetime
    """ When the change was made here (RFC 3339, UTC). """
    cause: str
    """ `sync`: something changed in Clio. `settings`: the settings changed. `users`: users, attorneys or the
    account changed. `manual`: a person decided, by a hold or an erasure. `upgrade`: a new release has other rules.
    Known values: `sync`, `settings`, `users`, `manual`, `upgrade`. """
    fields: ChangeFields
    """ The fields that changed, by name: those of the profile, `state`, `state_reason`, `key_facts`, `merged_into`.
    """
    tags_added: list[str]
    """ The labels of the tags to add. """
    tags_removed: list[str]
    """ The labels of the tags to remove. Labels that the contact had before this service granted them are not
    listed. """
    owner: None | OwnerChange
    """ The change of the owner. Null if the owner is the same, also if another rule or matter decides now. """
    contact: Contact | None
    """ The contact after the change. Null when it was erased. """
    seq: int
    """ The position in the account's change feed. It grows with each entry; numbers can be missing. """
    run_id: None | str
    """ The id of the run that made the change. Null for an erasure, which needs no run. """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        from ..models.contact import Contact  # noqa: PLC0415
        from ..models.owner_change import OwnerChange  # noqa: PLC0415

        kind = self.kind

        contact_id = self.contact_id

        clio_id = self.clio_id

        at = self.at.isoformat()

        cause = self.cause

        fields = self.fields.to_dict()

        tags_added = self.tags_added

        tags_removed = self.tags_removed

        owner: dict[str, Any] | None
        if isinstance(self.owner, OwnerChange):
            owner = self.owner.to_dict()
        else:
            owner = self.owner

        contact: dict[str, Any] | None
        if isinstance(self.contact, Contact):
            contact = self.contact.to_dict()
        else:
            contact = self.contact

        seq = self.seq

        run_id: None | str
        run_id = self.run_id

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "kind": kind,
                "contact_id": contact_id,
                "clio_id": clio_id,
                "at": at,
                "cause": cause,
                "fields": fields,
                "tags_added": tags_added,
                "tags_removed": tags_removed,
                "owner": owner,
                "contact": contact,
                "seq": seq,
                "run_id": run_id,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.change_fields import ChangeFields  # noqa: PLC0415
        from ..models.contact import Contact  # noqa: PLC0415
        from ..models.owner_change import OwnerChange  # noqa: PLC0415

        d = dict(src_dict)
        kind = d.pop("kind")

        contact_id = d.pop("contact_id")

        clio_id = d.pop("clio_id")

        at = datetime.datetime.fromisoformat(d.pop("at"))

        cause = d.pop("cause")

        fields = ChangeFields.from_dict(d.pop("fields"))

        tags_added = cast(list[str], d.pop("tags_added"))

        tags_removed = cast(list[str], d.pop("tags_removed"))

        def _parse_owner(data: object) -> None | OwnerChange:
            if data is None:
                return data
            try:
                if not isinstance(data, dict):
                    raise TypeError()
                owner_type_0 = OwnerChange.from_dict(data)

                return owner_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(None | OwnerChange, data)

        owner = _parse_owner(d.pop("owner"))

        def _parse_contact(data: object) -> Contact | None:
            if data is None:
                return data
            try:
                if not isinstance(data, dict):
                    raise TypeError()
                contact_type_0 = Contact.from_dict(data)

                return contact_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(Contact | None, data)

        contact = _parse_contact(d.pop("contact"))

        seq = d.pop("seq")

        def _parse_run_id(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        run_id = _parse_run_id(d.pop("run_id"))

        change = cls(
            kind=kind,
            contact_id=contact_id,
            clio_id=clio_id,
            at=at,
            cause=cause,
            fields=fields,
            tags_added=tags_added,
            tags_removed=tags_removed,
            owner=owner,
            contact=contact,
            seq=seq,
            run_id=run_id,
        )

        change.additional_properties = d
        return change

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
