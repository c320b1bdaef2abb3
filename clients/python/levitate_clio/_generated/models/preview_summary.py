from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

if TYPE_CHECKING:
    from ..models.owner_count import OwnerCount
    from ..models.preview_summary_by_state_reason import PreviewSummaryByStateReason
    from ..models.preview_summary_tags_added import PreviewSummaryTagsAdded
    from ..models.preview_summary_tags_removed import PreviewSummaryTagsRemoved


T = TypeVar("T", bound="PreviewSummary")


@_attrs_define
class PreviewSummary:
    """The effect on the whole firm, as numbers of contacts."""

    entering: int
    """ Contacts that would enter the scope, for the first time or again. """
    leaving: int
    """ Contacts that would leave the scope. """
    contacts_with_tag_changes: int
    """ Contacts that stay in scope and would get or lose a tag. """
    tags_added: PreviewSummaryTagsAdded
    """ For each label, how many contacts would get it, including contacts that enter. """
    tags_removed: PreviewSummaryTagsRemoved
    """ For each label, how many contacts would lose it, including contacts that leave. """
    owner_changes: int
    """ Contacts that stay in scope and would get another owner or none. """
    new_clients: int
    """ People who would be recorded as new clients. """
    by_state_reason: PreviewSummaryByStateReason
    """ For each `state_reason`, how many people in Clio would not be in scope because of it, also those who never
    were. Companies and deleted contacts are not counted. """
    by_owner: list[OwnerCount]
    """ The owners of all contacts that would be in scope, the one with the most contacts first. """
    possible_duplicates: int
    """ Those of `new_clients` whose primary email address another client has as well. """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        entering = self.entering

        leaving = self.leaving

        contacts_with_tag_changes = self.contacts_with_tag_changes

        tags_added = self.tags_added.to_dict()

        tags_removed = self.tags_removed.to_dict()

        owner_changes = self.owner_changes

        new_clients = self.new_clients

        by_state_reason = self.by_state_reason.to_dict()

        by_owner = []
        for by_owner_item_data in self.by_owner:
            by_owner_item = by_owner_item_data.to_dict()
            by_owner.append(by_owner_item)

        possible_duplicates = self.possible_duplicates

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "entering": entering,
                "leaving": leaving,
                "contacts_with_tag_changes": contacts_with_tag_changes,
                "tags_added": tags_added,
                "tags_removed": tags_removed,
                "owner_changes": owner_changes,
                "new_clients": new_clients,
                "by_state_reason": by_state_reason,
                "by_owner": by_owner,
                "possible_duplicates": possible_duplicates,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.owner_count import OwnerCount  # noqa: PLC0415
        from ..models.preview_summary_by_state_reason import PreviewSummaryByStateReason  # noqa: PLC0415
        from ..models.preview_summary_tags_added import PreviewSummaryTagsAdded  # noqa: PLC0415
        from ..models.preview_summary_tags_removed import PreviewSummaryTagsRemoved  # noqa: PLC0415

        d = dict(src_dict)
        entering = d.pop("entering")

        leaving = d.pop("leaving")

        contacts_with_tag_changes = d.pop("contacts_with_tag_changes")

        tags_added = PreviewSummaryTagsAdded.from_dict(d.pop("tags_added"))

        tags_removed = PreviewSummaryTagsRemoved.from_dict(d.pop("tags_removed"))

        owner_changes = d.pop("owner_changes")

        new_clients = d.pop("new_clients")

        by_state_reason = PreviewSummaryByStateReason.from_dict(d.pop("by_state_reason"))

        by_owner = []
        _by_owner = d.pop("by_owner")
        for by_owner_item_data in _by_owner:
            by_owner_item = OwnerCount.from_dict(by_owner_item_data)

            by_owner.append(by_owner_item)

        possible_duplicates = d.pop("possible_duplicates")

        preview_summary = cls(
            entering=entering,
            leaving=leaving,
            contacts_with_tag_changes=contacts_with_tag_changes,
            tags_added=tags_added,
            tags_removed=tags_removed,
            owner_changes=owner_changes,
            new_clients=new_clients,
            by_state_reason=by_state_reason,
            by_owner=by_owner,
            possible_duplicates=possible_duplicates,
        )

        preview_summary.additional_properties = d
        return preview_summary

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
