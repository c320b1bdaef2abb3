from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

if TYPE_CHECKING:
    from ..models.tag_grant import TagGrant


T = TypeVar("T", bound="ExplainedTag")


@_attrs_define
class ExplainedTag:
    """A tag and every reason for it. The tag stays while one reason remains."""

    label: str
    """ The text of the tag. """
    category: str
    """ The kind of tag, as in `Tag.category`. """
    grants: list[TagGrant]
    """ Every reason for the tag; there is at least one. """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        label = self.label

        category = self.category

        grants = []
        for grants_item_data in self.grants:
            grants_item = grants_item_data.to_dict()
            grants.append(grants_item)

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "label": label,
                "category": category,
                "grants": grants,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.tag_grant import TagGrant  # noqa: PLC0415

        d = dict(src_dict)
        label = d.pop("label")

        category = d.pop("category")

        grants = []
        _grants = d.pop("grants")
        for grants_item_data in _grants:
            grants_item = TagGrant.from_dict(grants_item_data)

            grants.append(grants_item)

        explained_tag = cls(
            label=label,
            category=category,
            grants=grants,
        )

        explained_tag.additional_properties = d
        return explained_tag

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
