from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

if TYPE_CHECKING:
    from ..models.new_clients_summary_by_basis import NewClientsSummaryByBasis
    from ..models.new_clients_summary_by_held_for import NewClientsSummaryByHeldFor


T = TypeVar("T", bound="NewClientsSummary")


@_attrs_define
class NewClientsSummary:
    """The new clients who wait in a hold, as numbers."""

    by_held_for: NewClientsSummaryByHeldFor
    """ Why they wait: how many for each value of `held_for`. """
    by_basis: NewClientsSummaryByBasis
    """ Why they are clients: how many for each `basis`. """
    with_open_matter: int
    """ How many had an open matter when they were found. The others may be clients of long ago. """
    possible_duplicates: int
    """ How many have `possible_duplicate_of`: perhaps they were announced under another record. """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        by_held_for = self.by_held_for.to_dict()

        by_basis = self.by_basis.to_dict()

        with_open_matter = self.with_open_matter

        possible_duplicates = self.possible_duplicates

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "by_held_for": by_held_for,
                "by_basis": by_basis,
                "with_open_matter": with_open_matter,
                "possible_duplicates": possible_duplicates,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.new_clients_summary_by_basis import NewClientsSummaryByBasis  # noqa: PLC0415
        from ..models.new_clients_summary_by_held_for import NewClientsSummaryByHeldFor  # noqa: PLC0415

        d = dict(src_dict)
        by_held_for = NewClientsSummaryByHeldFor.from_dict(d.pop("by_held_for"))

        by_basis = NewClientsSummaryByBasis.from_dict(d.pop("by_basis"))

        with_open_matter = d.pop("with_open_matter")

        possible_duplicates = d.pop("possible_duplicates")

        new_clients_summary = cls(
            by_held_for=by_held_for,
            by_basis=by_basis,
            with_open_matter=with_open_matter,
            possible_duplicates=possible_duplicates,
        )

        new_clients_summary.additional_properties = d
        return new_clients_summary

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
