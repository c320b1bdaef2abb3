from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

T = TypeVar("T", bound="ConsideredMatter")


@_attrs_define
class ConsideredMatter:
    """A matter that the ownership rule considered."""

    matter_clio_id: str
    """ Clio's id of the matter. """
    status: str
    """ The status of the matter in Clio: `open`, `pending` or `closed`. """
    updated_at: datetime.datetime | None
    """ When the matter was last changed in Clio (RFC 3339, UTC). Null if Clio does not say. """
    outcome: str
    """ What the rule found in this matter, in plain words, for example that it names no attorney. """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        matter_clio_id = self.matter_clio_id

        status = self.status

        updated_at: None | str
        if isinstance(self.updated_at, datetime.datetime):
            updated_at = self.updated_at.isoformat()
        else:
            updated_at = self.updated_at

        outcome = self.outcome

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "matter_clio_id": matter_clio_id,
                "status": status,
                "updated_at": updated_at,
                "outcome": outcome,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        matter_clio_id = d.pop("matter_clio_id")

        status = d.pop("status")

        def _parse_updated_at(data: object) -> datetime.datetime | None:
            if data is None:
                return data
            try:
                if not isinstance(data, str):
                    raise TypeError()
                updated_at_type_0 = datetime.datetime.fromisoformat(data)

                return updated_at_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(datetime.datetime | None, data)

        updated_at = _parse_updated_at(d.pop("updated_at"))

        outcome = d.pop("outcome")

        considered_matter = cls(
            matter_clio_id=matter_clio_id,
            status=status,
            updated_at=updated_at,
            outcome=outcome,
        )

        considered_matter.additional_properties = d
        return considered_matter

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
