from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

if TYPE_CHECKING:
    from ..models.previewed_change import PreviewedChange


T = TypeVar("T", bound="HoldItem")


@_attrs_define
class HoldItem:
    """One contact in a hold."""

    id: str
    """ The id of the item (`itm_…`), for a decision about this item. """
    clio_id: str
    """ Clio's id of the contact. """
    contact_id: None | str
    """ Our id of the contact. Null if it is not in Levitate yet. """
    name: str
    """ The person's name, or the first email address of a person without a name. """
    new_client: bool | None
    """ Whether the person is a new client, whom a release announces with the event `client.new`, unless it says
    that new clients wait or are not announced. Null if the acting user is limited. """
    change: None | PreviewedChange
    """ A contact that would leave, or be published for the first time: the change that a release would make now. A
    new client: the change by which the person became a client in Levitate; it was published already. Null if there
    is none. """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        from ..models.previewed_change import PreviewedChange  # noqa: PLC0415

        id = self.id

        clio_id = self.clio_id

        contact_id: None | str
        contact_id = self.contact_id

        name = self.name

        new_client: bool | None
        new_client = self.new_client

        change: dict[str, Any] | None
        if isinstance(self.change, PreviewedChange):
            change = self.change.to_dict()
        else:
            change = self.change

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "id": id,
                "clio_id": clio_id,
                "contact_id": contact_id,
                "name": name,
                "new_client": new_client,
                "change": change,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.previewed_change import PreviewedChange  # noqa: PLC0415

        d = dict(src_dict)
        id = d.pop("id")

        clio_id = d.pop("clio_id")

        def _parse_contact_id(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        contact_id = _parse_contact_id(d.pop("contact_id"))

        name = d.pop("name")

        def _parse_new_client(data: object) -> bool | None:
            if data is None:
                return data
            return cast(bool | None, data)

        new_client = _parse_new_client(d.pop("new_client"))

        def _parse_change(data: object) -> None | PreviewedChange:
            if data is None:
                return data
            try:
                if not isinstance(data, dict):
                    raise TypeError()
                change_type_0 = PreviewedChange.from_dict(data)

                return change_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(None | PreviewedChange, data)

        change = _parse_change(d.pop("change"))

        hold_item = cls(
            id=id,
            clio_id=clio_id,
            contact_id=contact_id,
            name=name,
            new_client=new_client,
            change=change,
        )

        hold_item.additional_properties = d
        return hold_item

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
