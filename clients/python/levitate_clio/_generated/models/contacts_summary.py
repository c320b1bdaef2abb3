from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

if TYPE_CHECKING:
    from ..models.owner_count import OwnerCount
    from ..models.owner_rule_count import OwnerRuleCount
    from ..models.state_count import StateCount
    from ..models.tag_count import TagCount


T = TypeVar("T", bound="ContactsSummary")


@_attrs_define
class ContactsSummary:
    """How many contacts there are, the most frequent values first."""

    total: int
    """ The number of contacts that were counted, in all states. """
    complete: bool
    """ Whether everything was counted. False: it took longer than 15 seconds, or there are more than 20,000 tags.
    """
    by_state: list[StateCount]
    """ The contacts by their state. """
    by_tag: list[TagCount]
    """ The contacts by tag and category; at most the 1,000 most frequent tags. """
    by_owner: list[OwnerCount]
    """ The contacts in scope by their owner; at most the 1,000 with the most contacts. """
    by_owner_rule: list[OwnerRuleCount]
    """ The contacts in scope by the rule that chose their owner. """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        total = self.total

        complete = self.complete

        by_state = []
        for by_state_item_data in self.by_state:
            by_state_item = by_state_item_data.to_dict()
            by_state.append(by_state_item)

        by_tag = []
        for by_tag_item_data in self.by_tag:
            by_tag_item = by_tag_item_data.to_dict()
            by_tag.append(by_tag_item)

        by_owner = []
        for by_owner_item_data in self.by_owner:
            by_owner_item = by_owner_item_data.to_dict()
            by_owner.append(by_owner_item)

        by_owner_rule = []
        for by_owner_rule_item_data in self.by_owner_rule:
            by_owner_rule_item = by_owner_rule_item_data.to_dict()
            by_owner_rule.append(by_owner_rule_item)

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "total": total,
                "complete": complete,
                "by_state": by_state,
                "by_tag": by_tag,
                "by_owner": by_owner,
                "by_owner_rule": by_owner_rule,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.owner_count import OwnerCount  # noqa: PLC0415
        from ..models.owner_rule_count import OwnerRuleCount  # noqa: PLC0415
        from ..models.state_count import StateCount  # noqa: PLC0415
        from ..models.tag_count import TagCount  # noqa: PLC0415

        d = dict(src_dict)
        total = d.pop("total")

        complete = d.pop("complete")

        by_state = []
        _by_state = d.pop("by_state")
        for by_state_item_data in _by_state:
            by_state_item = StateCount.from_dict(by_state_item_data)

            by_state.append(by_state_item)

        by_tag = []
        _by_tag = d.pop("by_tag")
        for by_tag_item_data in _by_tag:
            by_tag_item = TagCount.from_dict(by_tag_item_data)

            by_tag.append(by_tag_item)

        by_owner = []
        _by_owner = d.pop("by_owner")
        for by_owner_item_data in _by_owner:
            by_owner_item = OwnerCount.from_dict(by_owner_item_data)

            by_owner.append(by_owner_item)

        by_owner_rule = []
        _by_owner_rule = d.pop("by_owner_rule")
        for by_owner_rule_item_data in _by_owner_rule:
            by_owner_rule_item = OwnerRuleCount.from_dict(by_owner_rule_item_data)

            by_owner_rule.append(by_owner_rule_item)

        contacts_summary = cls(
            total=total,
            complete=complete,
            by_state=by_state,
            by_tag=by_tag,
            by_owner=by_owner,
            by_owner_rule=by_owner_rule,
        )

        contacts_summary.additional_properties = d
        return contacts_summary

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
