from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

if TYPE_CHECKING:
    from ..models.pulled_records import PulledRecords


T = TypeVar("T", bound="RunCounts")


@_attrs_define
class RunCounts:
    """The counts of a run."""

    pulled: PulledRecords
    """ The numbers of records read from Clio. A record that several logins show counts once for each login. """
    changed: int
    """ Entries that the run added to the change feed. """
    quarantined: int
    """ Records that could not be read. Their last readable versions are kept. """
    entered: int
    """ Contacts that entered the scope, for the first time or again. """
    left: int
    """ Contacts that left the scope or were deleted in Clio. """
    new_clients: int
    """ People who were recorded as new clients, announced or not. """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        pulled = self.pulled.to_dict()

        changed = self.changed

        quarantined = self.quarantined

        entered = self.entered

        left = self.left

        new_clients = self.new_clients

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "pulled": pulled,
                "changed": changed,
                "quarantined": quarantined,
                "entered": entered,
                "left": left,
                "new_clients": new_clients,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.pulled_records import PulledRecords  # noqa: PLC0415

        d = dict(src_dict)
        pulled = PulledRecords.from_dict(d.pop("pulled"))

        changed = d.pop("changed")

        quarantined = d.pop("quarantined")

        entered = d.pop("entered")

        left = d.pop("left")

        new_clients = d.pop("new_clients")

        run_counts = cls(
            pulled=pulled,
            changed=changed,
            quarantined=quarantined,
            entered=entered,
            left=left,
            new_clients=new_clients,
        )

        run_counts.additional_properties = d
        return run_counts

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
