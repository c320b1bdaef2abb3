from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

if TYPE_CHECKING:
    from ..models.address import Address
    from ..models.company import Company
    from ..models.email import Email
    from ..models.owner import Owner
    from ..models.phone import Phone
    from ..models.tag import Tag


T = TypeVar("T", bound="Contact")


@_attrs_define
class Contact:
    """A person, as Levitate should store it."""

    id: str
    """ Our id of the contact (`con_…`). It stays the same when the contact leaves and returns. """
    clio_id: str
    """ Clio's id of the contact. """
    clio_url: str
    """ The page of the contact in Clio. """
    version: int
    """ The version of the contact: 1 at first, and one more with each change in the change feed. """
    state: str
    """ `in_scope`: the contact belongs in Levitate. `out_of_scope`: it no longer does. `deleted`: it was deleted in
    Clio. Outside the scope names and addresses stay as they were, without tags, owner and key facts. Known values:
    `in_scope`, `out_of_scope`, `deleted`. """
    state_reason: None | str
    """ Why the contact is not in scope: `not_a_client`, `role_excluded`, `segment`, `opt_out`, `settings`,
    `no_name_or_email`, `removed_in_clio`, or `not_visible` (no login sees it any more). Null if it is in scope, or
    if the reason is not shown to the acting user. """
    first_name: None | str
    """ The first name. Null if there is none. """
    middle_name: None | str
    """ The middle name. Null if there is none. """
    last_name: None | str
    """ The last name. Null if there is none. """
    prefix: None | str
    """ The form of address before the name, for example `Dr.`. Null if there is none. """
    title: None | str
    """ The job title. Null if there is none. """
    company: Company | None
    """ The company that the person works for. Null if there is none. """
    emails: list[Email]
    """ The email addresses, the primary one first. Only that one if `scope.primary_email_only` is on. """
    phones: list[Phone]
    """ The phone numbers, the primary one first. """
    addresses: list[Address]
    """ The postal addresses in Clio's order; the first one is primary. """
    tags: list[Tag]
    """ The tags that this service gives to the contact. Tags that users added in Levitate are not listed. """
    owner: None | Owner
    """ Who owns the contact in Levitate, and why. Null outside the scope. """
    key_facts: list[Any]
    """ The key facts that the settings ask for. Empty outside the scope. """
    first_synced_at: datetime.datetime
    """ When the contact first entered the scope (RFC 3339, UTC). """
    updated_at: datetime.datetime
    """ When the contact last changed here (RFC 3339, UTC). """
    merged_into: None | str | Unset = UNSET
    """ Our id of the contact that took the place of this one, if it was deleted in Clio by a merge. Null if that is
    not known. """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        from ..models.company import Company  # noqa: PLC0415
        from ..models.owner import Owner  # noqa: PLC0415

        id = self.id

        clio_id = self.clio_id

        clio_url = self.clio_url

        version = self.version

        state = self.state

        state_reason: None | str
        state_reason = self.state_reason

        first_name: None | str
        first_name = self.first_name

        middle_name: None | str
        middle_name = self.middle_name

        last_name: None | str
        last_name = self.last_name

        prefix: None | str
        prefix = self.prefix

        title: None | str
        title = self.title

        company: dict[str, Any] | None
        if isinstance(self.company, Company):
            company = self.company.to_dict()
        else:
            company = self.company

        emails = []
        for emails_item_data in self.emails:
            emails_item = emails_item_data.to_dict()
            emails.append(emails_item)

        phones = []
        for phones_item_data in self.phones:
            phones_item = phones_item_data.to_dict()
            phones.append(phones_item)

        addresses = []
        for addresses_item_data in self.addresses:
            addresses_item = addresses_item_data.to_dict()
            addresses.append(addresses_item)

        tags = []
        for tags_item_data in self.tags:
            tags_item = tags_item_data.to_dict()
            tags.append(tags_item)

        owner: dict[str, Any] | None
        if isinstance(self.owner, Owner):
            owner = self.owner.to_dict()
        else:
            owner = self.owner

        key_facts = self.key_facts

        first_synced_at = self.first_synced_at.isoformat()

        updated_at = self.updated_at.isoformat()

        merged_into: None | str | Unset
        if isinstance(self.merged_into, Unset):
            merged_into = UNSET
        else:
            merged_into = self.merged_into

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "id": id,
                "clio_id": clio_id,
                "clio_url": clio_url,
                "version": version,
                "state": state,
                "state_reason": state_reason,
                "first_name": first_name,
                "middle_name": middle_name,
                "last_name": last_name,
                "prefix": prefix,
                "title": title,
                "company": company,
                "emails": emails,
                "phones": phones,
                "addresses": addresses,
                "tags": tags,
                "owner": owner,
                "key_facts": key_facts,
                "first_synced_at": first_synced_at,
                "updated_at": updated_at,
            }
        )
        if merged_into is not UNSET:
            field_dict["merged_into"] = merged_into

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.address import Address  # noqa: PLC0415
        from ..models.company import Company  # noqa: PLC0415
        from ..models.email import Email  # noqa: PLC0415
        from ..models.owner import Owner  # noqa: PLC0415
        from ..models.phone import Phone  # noqa: PLC0415
        from ..models.tag import Tag  # noqa: PLC0415

        d = dict(src_dict)
        id = d.pop("id")

        clio_id = d.pop("clio_id")

        clio_url = d.pop("clio_url")

        version = d.pop("version")

        state = d.pop("state")

        def _parse_state_reason(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        state_reason = _parse_state_reason(d.pop("state_reason"))

        def _parse_first_name(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        first_name = _parse_first_name(d.pop("first_name"))

        def _parse_middle_name(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        middle_name = _parse_middle_name(d.pop("middle_name"))

        def _parse_last_name(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        last_name = _parse_last_name(d.pop("last_name"))

        def _parse_prefix(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        prefix = _parse_prefix(d.pop("prefix"))

        def _parse_title(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        title = _parse_title(d.pop("title"))

        def _parse_company(data: object) -> Company | None:
            if data is None:
                return data
            try:
                if not isinstance(data, dict):
                    raise TypeError()
                company_type_0 = Company.from_dict(data)

                return company_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(Company | None, data)

        company = _parse_company(d.pop("company"))

        emails = []
        _emails = d.pop("emails")
        for emails_item_data in _emails:
            emails_item = Email.from_dict(emails_item_data)

            emails.append(emails_item)

        phones = []
        _phones = d.pop("phones")
        for phones_item_data in _phones:
            phones_item = Phone.from_dict(phones_item_data)

            phones.append(phones_item)

        addresses = []
        _addresses = d.pop("addresses")
        for addresses_item_data in _addresses:
            addresses_item = Address.from_dict(addresses_item_data)

            addresses.append(addresses_item)

        tags = []
        _tags = d.pop("tags")
        for tags_item_data in _tags:
            tags_item = Tag.from_dict(tags_item_data)

            tags.append(tags_item)

        def _parse_owner(data: object) -> None | Owner:
            if data is None:
                return data
            try:
                if not isinstance(data, dict):
                    raise TypeError()
                owner_type_0 = Owner.from_dict(data)

                return owner_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(None | Owner, data)

        owner = _parse_owner(d.pop("owner"))

        key_facts = cast(list[Any], d.pop("key_facts"))

        first_synced_at = datetime.datetime.fromisoformat(d.pop("first_synced_at"))

        updated_at = datetime.datetime.fromisoformat(d.pop("updated_at"))

        def _parse_merged_into(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, data)

        merged_into = _parse_merged_into(d.pop("merged_into", UNSET))

        contact = cls(
            id=id,
            clio_id=clio_id,
            clio_url=clio_url,
            version=version,
            state=state,
            state_reason=state_reason,
            first_name=first_name,
            middle_name=middle_name,
            last_name=last_name,
            prefix=prefix,
            title=title,
            company=company,
            emails=emails,
            phones=phones,
            addresses=addresses,
            tags=tags,
            owner=owner,
            key_facts=key_facts,
            first_synced_at=first_synced_at,
            updated_at=updated_at,
            merged_into=merged_into,
        )

        contact.additional_properties = d
        return contact

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
