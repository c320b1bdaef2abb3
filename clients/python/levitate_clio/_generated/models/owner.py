from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

T = TypeVar("T", bound="Owner")


@_attrs_define
class Owner:
    """The Levitate user who owns a contact, and the rule that chose this user."""

    user_id: None | str
    """ Levitate's id of the user. Null if nobody owns the contact. """
    rule: str
    """ How the owner was chosen. `responsible_attorney` and `originating_attorney`: the attorney of a matter.
    `primary_user`: by the setting `ownership.source`. `fallback`: the primary user, because no attorney can be the
    owner. `sticky`: the previous owner stays. `unassigned`: nobody. `not_shown`: by a matter that the acting user
    does not see in Clio, if the account limits its users. """
    matter_clio_id: None | str
    """ Clio's id of the matter that names the owner. Null if no matter decided. """
    detail: None | str
    """ A code or a sentence that says why the rule applied, for example `no_visible_matter`. Null if the rule says
    it all. """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        user_id: None | str
        user_id = self.user_id

        rule = self.rule

        matter_clio_id: None | str
        matter_clio_id = self.matter_clio_id

        detail: None | str
        detail = self.detail

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "user_id": user_id,
                "rule": rule,
                "matter_clio_id": matter_clio_id,
                "detail": detail,
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

        rule = d.pop("rule")

        def _parse_matter_clio_id(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        matter_clio_id = _parse_matter_clio_id(d.pop("matter_clio_id"))

        def _parse_detail(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        detail = _parse_detail(d.pop("detail"))

        owner = cls(
            user_id=user_id,
            rule=rule,
            matter_clio_id=matter_clio_id,
            detail=detail,
        )

        owner.additional_properties = d
        return owner

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
