from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

if TYPE_CHECKING:
    from ..models.export_held import ExportHeld


T = TypeVar("T", bound="Export")


@_attrs_define
class Export:
    """Everything that is held about one person."""

    contact_id: str
    """ Our id of the contact. """
    clio_id: str
    """ Clio's id of the contact. """
    exported_at: datetime.datetime
    """ When the export was made (RFC 3339, UTC). """
    held: ExportHeld
    """ The rows about the person by table. `docs/retention.md` says what each table is for and how long it is kept.
    """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        contact_id = self.contact_id

        clio_id = self.clio_id

        exported_at = self.exported_at.isoformat()

        held = self.held.to_dict()

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "contact_id": contact_id,
                "clio_id": clio_id,
                "exported_at": exported_at,
                "held": held,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.export_held import ExportHeld  # noqa: PLC0415

        d = dict(src_dict)
        contact_id = d.pop("contact_id")

        clio_id = d.pop("clio_id")

        exported_at = datetime.datetime.fromisoformat(d.pop("exported_at"))

        held = ExportHeld.from_dict(d.pop("held"))

        export = cls(
            contact_id=contact_id,
            clio_id=clio_id,
            exported_at=exported_at,
            held=held,
        )

        export.additional_properties = d
        return export

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
