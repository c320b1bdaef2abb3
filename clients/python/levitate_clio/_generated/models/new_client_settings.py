from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from attrs import define as _attrs_define

from ..types import UNSET, Unset

T = TypeVar("T", bound="NewClientSettings")


@_attrs_define
class NewClientSettings:
    """The settings that decide when new clients are announced."""

    initial_sync: str | Unset = UNSET
    """ The choice for clients found by the first sync.

    `emit`: they are announced. `hold`: they wait for a person's decision. `suppress`: they are never announced.
    Known values: `emit`, `hold`, `suppress`. """
    require_open_matter: bool | Unset = UNSET
    """ Whether a client is announced only when there is an open matter. """
    surge_threshold: int | Unset = UNSET
    """ The number of new clients that one later run may announce. If it finds more, all of them wait for a person.
    """
    hold_possible_duplicates: bool | Unset = UNSET
    """ Whether a new client with `possible_duplicate_of` waits for a person instead of being announced. A PUT
    without this field leaves it as it is. """

    def to_dict(self) -> dict[str, Any]:
        initial_sync = self.initial_sync

        require_open_matter = self.require_open_matter

        surge_threshold = self.surge_threshold

        hold_possible_duplicates = self.hold_possible_duplicates

        field_dict: dict[str, Any] = {}

        field_dict.update({})
        if initial_sync is not UNSET:
            field_dict["initial_sync"] = initial_sync
        if require_open_matter is not UNSET:
            field_dict["require_open_matter"] = require_open_matter
        if surge_threshold is not UNSET:
            field_dict["surge_threshold"] = surge_threshold
        if hold_possible_duplicates is not UNSET:
            field_dict["hold_possible_duplicates"] = hold_possible_duplicates

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        initial_sync = d.pop("initial_sync", UNSET)

        require_open_matter = d.pop("require_open_matter", UNSET)

        surge_threshold = d.pop("surge_threshold", UNSET)

        hold_possible_duplicates = d.pop("hold_possible_duplicates", UNSET)

        new_client_settings = cls(
            initial_sync=initial_sync,
            require_open_matter=require_open_matter,
            surge_threshold=surge_threshold,
            hold_possible_duplicates=hold_possible_duplicates,
        )

        return new_client_settings
