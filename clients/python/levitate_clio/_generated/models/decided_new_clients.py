from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

if TYPE_CHECKING:
    from ..models.skipped_new_client import SkippedNewClient


T = TypeVar("T", bound="DecidedNewClients")


@_attrs_define
class DecidedNewClients:
    """What was decided. Nobody is decided who was found after the request was accepted."""

    done: int
    """ How many are decided: at most 500. """
    remaining: int
    """ How many more of the set follow within a minute. """
    skipped: list[SkippedNewClient]
    """ Those of `ids` that are not decided. Empty for a filter. """
    has_more: bool
    """ Whether the filter means others, too: one request decides at most 10,000. Send the next one with a new key.
    """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        done = self.done

        remaining = self.remaining

        skipped = []
        for skipped_item_data in self.skipped:
            skipped_item = skipped_item_data.to_dict()
            skipped.append(skipped_item)

        has_more = self.has_more

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "done": done,
                "remaining": remaining,
                "skipped": skipped,
                "has_more": has_more,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.skipped_new_client import SkippedNewClient  # noqa: PLC0415

        d = dict(src_dict)
        done = d.pop("done")

        remaining = d.pop("remaining")

        skipped = []
        _skipped = d.pop("skipped")
        for skipped_item_data in _skipped:
            skipped_item = SkippedNewClient.from_dict(skipped_item_data)

            skipped.append(skipped_item)

        has_more = d.pop("has_more")

        decided_new_clients = cls(
            done=done,
            remaining=remaining,
            skipped=skipped,
            has_more=has_more,
        )

        decided_new_clients.additional_properties = d
        return decided_new_clients

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
