from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

T = TypeVar("T", bound="StartedConnection")


@_attrs_define
class StartedConnection:
    """The start of a connection. Send the user's browser to `authorize_url` before `expires_at`."""

    id: str
    """ The id of the connection. A user who connects again keeps the same connection. """
    status: str
    """ Always `pending`: the user has not answered yet. A connection that works keeps working meanwhile. Known
    values: `pending`. """
    authorize_url: str
    """ An address of this service that leads the browser to Clio's page, where the user allows access. It may be
    opened more than once; the user must finish in the same browser. """
    expires_at: datetime.datetime
    """ When `authorize_url` stops working, ten minutes after the request (RFC 3339, UTC). """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        id = self.id

        status = self.status

        authorize_url = self.authorize_url

        expires_at = self.expires_at.isoformat()

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "id": id,
                "status": status,
                "authorize_url": authorize_url,
                "expires_at": expires_at,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        id = d.pop("id")

        status = d.pop("status")

        authorize_url = d.pop("authorize_url")

        expires_at = datetime.datetime.fromisoformat(d.pop("expires_at"))

        started_connection = cls(
            id=id,
            status=status,
            authorize_url=authorize_url,
            expires_at=expires_at,
        )

        started_connection.additional_properties = d
        return started_connection

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
