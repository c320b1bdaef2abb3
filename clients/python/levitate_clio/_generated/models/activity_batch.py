from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from attrs import define as _attrs_define

if TYPE_CHECKING:
    from ..models.activity_in import ActivityIn


T = TypeVar("T", bound="ActivityBatch")


@_attrs_define
class ActivityBatch:
    """Activities of Levitate users, each as for `POST …/activities`."""

    activities: list[ActivityIn]
    """ The activities, 1 to 100. Each is checked by itself, so that one that is wrong does not stop the others. """

    def to_dict(self) -> dict[str, Any]:
        activities = []
        for activities_item_data in self.activities:
            activities_item = activities_item_data.to_dict()
            activities.append(activities_item)

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "activities": activities,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.activity_in import ActivityIn  # noqa: PLC0415

        d = dict(src_dict)
        activities = []
        _activities = d.pop("activities")
        for activities_item_data in _activities:
            activities_item = ActivityIn.from_dict(activities_item_data)

            activities.append(activities_item)

        activity_batch = cls(
            activities=activities,
        )

        return activity_batch
