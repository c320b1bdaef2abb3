from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

if TYPE_CHECKING:
    from ..models.part_health import PartHealth


T = TypeVar("T", bound="Readiness")


@_attrs_define
class Readiness:
    """The process can work."""

    database: str
    """ Whether the database responds. Known values: `ok`, `unavailable`. """
    schema: str
    """ Whether the database schema is the one of this version (`current`) or of the next one (`newer`), which this
    version can use, too old (`older`), too new (`too_new`), or not known while the database does not respond
    (`unknown`). Known values: `current`, `newer`, `older`, `too_new`, `unknown`. """
    clock: str
    """ `ok`: this process has a scheduler, and it runs. `off`: this process has none. Known values: `ok`, `off`.
    """
    parts: list[PartHealth]
    """ Every background part of this process. """
    status: str | Unset = UNSET
    """ Always `ok`: the process is alive. """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        database = self.database

        schema = self.schema

        clock = self.clock

        parts = []
        for parts_item_data in self.parts:
            parts_item = parts_item_data.to_dict()
            parts.append(parts_item)

        status = self.status

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "database": database,
                "schema": schema,
                "clock": clock,
                "parts": parts,
            }
        )
        if status is not UNSET:
            field_dict["status"] = status

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.part_health import PartHealth  # noqa: PLC0415

        d = dict(src_dict)
        database = d.pop("database")

        schema = d.pop("schema")

        clock = d.pop("clock")

        parts = []
        _parts = d.pop("parts")
        for parts_item_data in _parts:
            parts_item = PartHealth.from_dict(parts_item_data)

            parts.append(parts_item)

        status = d.pop("status", UNSET)

        readiness = cls(
            database=database,
            schema=schema,
            clock=clock,
            parts=parts,
            status=status,
        )

        readiness.additional_properties = d
        return readiness

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
