from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

if TYPE_CHECKING:
    from ..models.activity import Activity


T = TypeVar("T", bound="RecordedOne")


@_attrs_define
class RecordedOne:
    """The answer to one activity of a batch that was recorded."""

    status: int
    """ The status that `POST …/activities` would have: 202 if it is queued or blocked, 200 if it is skipped. Known
    values: `200`, `202`. """
    activity: Activity
    """ An activity, and how far it is on its way to Clio. """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        status = self.status

        activity = self.activity.to_dict()

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "status": status,
                "activity": activity,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.activity import Activity  # noqa: PLC0415

        d = dict(src_dict)
        status = d.pop("status")

        activity = Activity.from_dict(d.pop("activity"))

        recorded_one = cls(
            status=status,
            activity=activity,
        )

        recorded_one.additional_properties = d
        return recorded_one

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
