from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

if TYPE_CHECKING:
    from ..models.preview_summary import PreviewSummary
    from ..models.previewed_change import PreviewedChange


T = TypeVar("T", bound="Preview")


@_attrs_define
class Preview:
    """The effect of the settings: numbers for the whole firm, and one page of changes, ordered by Clio's id."""

    summary: PreviewSummary
    """ The effect on the whole firm, as numbers of contacts. """
    data: list[PreviewedChange]
    """ The changes of this page, one for each contact that would change. """
    next_cursor: None | str
    """ The cursor to send as `cursor`, with the same body, for the next page. Null on the last page. """
    has_more: bool
    """ Whether more changes follow this page. """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        summary = self.summary.to_dict()

        data = []
        for data_item_data in self.data:
            data_item = data_item_data.to_dict()
            data.append(data_item)

        next_cursor: None | str
        next_cursor = self.next_cursor

        has_more = self.has_more

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "summary": summary,
                "data": data,
                "next_cursor": next_cursor,
                "has_more": has_more,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.preview_summary import PreviewSummary  # noqa: PLC0415
        from ..models.previewed_change import PreviewedChange  # noqa: PLC0415

        d = dict(src_dict)
        summary = PreviewSummary.from_dict(d.pop("summary"))

        data = []
        _data = d.pop("data")
        for data_item_data in _data:
            data_item = PreviewedChange.from_dict(data_item_data)

            data.append(data_item)

        def _parse_next_cursor(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        next_cursor = _parse_next_cursor(d.pop("next_cursor"))

        has_more = d.pop("has_more")

        preview = cls(
            summary=summary,
            data=data,
            next_cursor=next_cursor,
            has_more=has_more,
        )

        preview.additional_properties = d
        return preview

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
