from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from attrs import define as _attrs_define

T = TypeVar("T", bound="User")


@_attrs_define
class User:
    """A Levitate user of the firm."""

    id: str
    """ Levitate's id of the user: 1 to 128 printable characters. """
    name: str
    """ The user's full name. """
    email: str
    """ The user's email address. A Clio user with the same address is mapped to this user. Empty if there is none.
    """
    active: bool
    """ Whether the user works in Levitate. Only active users can own contacts. """

    def to_dict(self) -> dict[str, Any]:
        id = self.id

        name = self.name

        email = self.email

        active = self.active

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "id": id,
                "name": name,
                "email": email,
                "active": active,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        id = d.pop("id")

        name = d.pop("name")

        email = d.pop("email")

        active = d.pop("active")

        user = cls(
            id=id,
            name=name,
            email=email,
            active=active,
        )

        return user
