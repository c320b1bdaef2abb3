from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from attrs import define as _attrs_define

from ..types import UNSET, Unset

T = TypeVar("T", bound="ConnectLinkIn")


@_attrs_define
class ConnectLinkIn:
    """A request for a link with which a user can connect a Clio login."""

    user_id: str
    """ Levitate's id of the user who will connect. The user must be in the account's list of users. """
    region: str
    """ A region of Clio: United States, Europe, Canada or Australia. A login of one does not work in another. Known
    values: `us`, `eu`, `ca`, `au`. """
    return_url: str
    """ Where the browser goes after each attempt, as for a connection. """
    expires_in_days: int | Unset = UNSET
    """ For how many days the link works, 1 to 14. """

    def to_dict(self) -> dict[str, Any]:
        user_id = self.user_id

        region = self.region

        return_url = self.return_url

        expires_in_days = self.expires_in_days

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "user_id": user_id,
                "region": region,
                "return_url": return_url,
            }
        )
        if expires_in_days is not UNSET:
            field_dict["expires_in_days"] = expires_in_days

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        user_id = d.pop("user_id")

        region = d.pop("region")

        return_url = d.pop("return_url")

        expires_in_days = d.pop("expires_in_days", UNSET)

        connect_link_in = cls(
            user_id=user_id,
            region=region,
            return_url=return_url,
            expires_in_days=expires_in_days,
        )

        return connect_link_in
