from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from attrs import define as _attrs_define

T = TypeVar("T", bound="ConnectionIn")


@_attrs_define
class ConnectionIn:
    """A request to connect a user's Clio login."""

    user_id: str
    """ Levitate's id of the user who will connect. The user must be in the account's list of users. """
    region: str
    """ A region of Clio: United States, Europe, Canada or Australia. A login of one does not work in another. Known
    values: `us`, `eu`, `ca`, `au`. """
    return_url: str
    """ Where the browser goes at the end, with `clio=connected` or `clio=<code>` added to the query. Its origin
    must be one that this service is configured for. At most 2,000 characters. """

    def to_dict(self) -> dict[str, Any]:
        user_id = self.user_id

        region = self.region

        return_url = self.return_url

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "user_id": user_id,
                "region": region,
                "return_url": return_url,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        user_id = d.pop("user_id")

        region = d.pop("region")

        return_url = d.pop("return_url")

        connection_in = cls(
            user_id=user_id,
            region=region,
            return_url=return_url,
        )

        return connection_in
