from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, cast

from attrs import define as _attrs_define

from ..models.account_console_link_in_role import (
    AccountConsoleLinkInRole,
    check_account_console_link_in_role,
)
from ..types import UNSET, Unset

T = TypeVar("T", bound="AccountConsoleLinkIn")


@_attrs_define
class AccountConsoleLinkIn:
    """A link to the console of one account."""

    user_id: str
    """ Levitate's id of the person who will use the link. The audit log has it for all that the person does. """
    role: AccountConsoleLinkInRole
    """ What the person is in Levitate. A `user` can read; the others can also change what their role allows. """
    name: None | str | Unset = UNSET
    """ The person's name. The console shows it; without it, the name in the account's list of users, or the role.
    """

    def to_dict(self) -> dict[str, Any]:
        user_id = self.user_id

        role: str = self.role

        name: None | str | Unset
        if isinstance(self.name, Unset):
            name = UNSET
        else:
            name = self.name

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "user_id": user_id,
                "role": role,
            }
        )
        if name is not UNSET:
            field_dict["name"] = name

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        user_id = d.pop("user_id")

        role = check_account_console_link_in_role(d.pop("role"))

        def _parse_name(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, data)

        name = _parse_name(d.pop("name", UNSET))

        account_console_link_in = cls(
            user_id=user_id,
            role=role,
            name=name,
        )

        return account_console_link_in
