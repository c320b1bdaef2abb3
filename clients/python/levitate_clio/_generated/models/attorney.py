from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

T = TypeVar("T", bound="Attorney")


@_attrs_define
class Attorney:
    """A Clio user of the firm, the Levitate user it is mapped to, and how the mapping was made."""

    clio_user_id: str
    """ Clio's id of the user. """
    name: None | str
    """ The user's name in Clio. Null if Clio has not shown it yet. """
    email: None | str
    """ The user's email address in Clio. Null if Clio has not shown one. """
    enabled: bool | None
    """ Whether the user is active in Clio. Null if Clio has not said so yet. """
    user_id: None | str
    """ Levitate's id of the user it is mapped to. Null if it is mapped to nobody. """
    mapped_by: None | str
    """ How the mapping was made: by a person (`manual`), because the Levitate user connected this Clio login
    (`connection`), or by equal email addresses (`email`). Null if there is no mapping. """
    contacts: int
    """ The number of contacts in scope who have a matter of which this Clio user is the responsible or originating
    attorney. """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        clio_user_id = self.clio_user_id

        name: None | str
        name = self.name

        email: None | str
        email = self.email

        enabled: bool | None
        enabled = self.enabled

        user_id: None | str
        user_id = self.user_id

        mapped_by: None | str
        mapped_by = self.mapped_by

        contacts = self.contacts

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "clio_user_id": clio_user_id,
                "name": name,
                "email": email,
                "enabled": enabled,
                "user_id": user_id,
                "mapped_by": mapped_by,
                "contacts": contacts,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        clio_user_id = d.pop("clio_user_id")

        def _parse_name(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        name = _parse_name(d.pop("name"))

        def _parse_email(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        email = _parse_email(d.pop("email"))

        def _parse_enabled(data: object) -> bool | None:
            if data is None:
                return data
            return cast(bool | None, data)

        enabled = _parse_enabled(d.pop("enabled"))

        def _parse_user_id(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        user_id = _parse_user_id(d.pop("user_id"))

        def _parse_mapped_by(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        mapped_by = _parse_mapped_by(d.pop("mapped_by"))

        contacts = d.pop("contacts")

        attorney = cls(
            clio_user_id=clio_user_id,
            name=name,
            email=email,
            enabled=enabled,
            user_id=user_id,
            mapped_by=mapped_by,
            contacts=contacts,
        )

        attorney.additional_properties = d
        return attorney

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
