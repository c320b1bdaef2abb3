from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

T = TypeVar("T", bound="AuditEntry")


@_attrs_define
class AuditEntry:
    """An entry of the audit log: who did what, and when. It has ids, versions and counts, never data of clients."""

    id: str
    """ The id of the entry. """
    at: datetime.datetime
    """ When it was done (RFC 3339, UTC). """
    user_id: None | str
    """ Levitate's id of the acting user, as in the header `Levitate-User`. Null if the request named nobody. """
    role: None | str
    """ The role of the acting user, as in the header `Levitate-Role`; `operator` for who runs a command of the
    service. Null if neither did it. """
    token_id: None | str
    """ The id of the service token; `bootstrap` is the token of the configuration. Null if no token was used. """
    request_id: None | str
    """ The id of the API request, as in the header `X-Request-Id`. Null if no API request did it. """
    source_address: None | str
    """ The address from which the request came. Null if no API request did it. """
    action: str
    """ What was done, for example `settings.changed`, `hold.released` or `contact.erased`. New actions can be
    added. """
    subject: None | str
    """ The id of what was changed, such as a connection, a contact, a token or an erased account. Null if it was
    the account of the log, its settings, or the keys of the service. """
    details: Any
    """ More about the action: ids, versions, counts, and JSON pointers to the fields that changed. """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        id = self.id

        at = self.at.isoformat()

        user_id: None | str
        user_id = self.user_id

        role: None | str
        role = self.role

        token_id: None | str
        token_id = self.token_id

        request_id: None | str
        request_id = self.request_id

        source_address: None | str
        source_address = self.source_address

        action = self.action

        subject: None | str
        subject = self.subject

        details = self.details

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "id": id,
                "at": at,
                "user_id": user_id,
                "role": role,
                "token_id": token_id,
                "request_id": request_id,
                "source_address": source_address,
                "action": action,
                "subject": subject,
                "details": details,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        id = d.pop("id")

        at = datetime.datetime.fromisoformat(d.pop("at"))

        def _parse_user_id(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        user_id = _parse_user_id(d.pop("user_id"))

        def _parse_role(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        role = _parse_role(d.pop("role"))

        def _parse_token_id(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        token_id = _parse_token_id(d.pop("token_id"))

        def _parse_request_id(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        request_id = _parse_request_id(d.pop("request_id"))

        def _parse_source_address(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        source_address = _parse_source_address(d.pop("source_address"))

        action = d.pop("action")

        def _parse_subject(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        subject = _parse_subject(d.pop("subject"))

        details = d.pop("details")

        audit_entry = cls(
            id=id,
            at=at,
            user_id=user_id,
            role=role,
            token_id=token_id,
            request_id=request_id,
            source_address=source_address,
            action=action,
            subject=subject,
            details=details,
        )

        audit_entry.additional_properties = d
        return audit_entry

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
