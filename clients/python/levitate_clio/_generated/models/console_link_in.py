from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, cast

from attrs import define as _attrs_define

from ..types import UNSET, Unset

T = TypeVar("T", bound="ConsoleLinkIn")


@_attrs_define
class ConsoleLinkIn:
    """A link to the console of all accounts."""

    user_id: str
    """ Levitate's id of the person who will use the link. The audit log has it for all that the person does. """
    name: None | str | Unset = UNSET
    """ The person's name. The console shows it; without it, the name in the account's list of users, or the role.
    """

    def to_dict(self) -> dict[str, Any]:
        user_id = self.user_id

        name: None | str | Unset
        if isinstance(self.name, Unset):
            name = UNSET
        else:
            name = self.name

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "user_id": user_id,
            }
        )
        if name is not UNSET:
            field_dict["name"] = name

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        user_id = d.pop("user_id")

        def _parse_name(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, data)

        name = _parse_name(d.pop("name", UNSET))

        console_link_in = cls(
            user_id=user_id,
            name=name,
        )

        return console_link_in
