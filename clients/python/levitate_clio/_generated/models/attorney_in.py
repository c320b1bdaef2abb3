from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, cast

from attrs import define as _attrs_define

T = TypeVar("T", bound="AttorneyIn")


@_attrs_define
class AttorneyIn:
    """The Levitate user that a Clio user is mapped to. Null maps the Clio user to nobody."""

    user_id: None | str
    """ Levitate's id of the user. Null maps the Clio user to nobody, even if an email address matches. """

    def to_dict(self) -> dict[str, Any]:
        user_id: None | str
        user_id = self.user_id

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "user_id": user_id,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)

        def _parse_user_id(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        user_id = _parse_user_id(d.pop("user_id"))

        attorney_in = cls(
            user_id=user_id,
        )

        return attorney_in
