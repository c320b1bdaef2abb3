from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

if TYPE_CHECKING:
    from ..models.decision import Decision
    from ..models.needed_change import NeededChange


T = TypeVar("T", bound="ExplainedClioContact")


@_attrs_define
class ExplainedClioContact:
    """A contact of Clio with the decision of the rules by the records that were pulled and the present settings."""

    clio_id: str
    """ Clio's id of the contact. """
    name: str
    """ The name in Clio. Empty if there is none. """
    type_: str
    """ Whether Clio has a person or a company. Known values: `person`, `company`. """
    contact_id: None | str
    """ Our id of the contact. Null if it was never in Levitate. """
    state: None | str
    """ The state of the contact in Levitate. Null if it was never there. """
    decision: Decision
    """ What the rules decide about a contact of Clio, whether Levitate has it or not, and why. """
    would_need: list[NeededChange]
    """ What would bring the person into scope: other settings, or changes in Clio. Empty for a person in scope, for
    a company, and if the acting user does not see all that the decision comes from. """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        clio_id = self.clio_id

        name = self.name

        type_ = self.type_

        contact_id: None | str
        contact_id = self.contact_id

        state: None | str
        state = self.state

        decision = self.decision.to_dict()

        would_need = []
        for would_need_item_data in self.would_need:
            would_need_item = would_need_item_data.to_dict()
            would_need.append(would_need_item)

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "clio_id": clio_id,
                "name": name,
                "type": type_,
                "contact_id": contact_id,
                "state": state,
                "decision": decision,
                "would_need": would_need,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.decision import Decision  # noqa: PLC0415
        from ..models.needed_change import NeededChange  # noqa: PLC0415

        d = dict(src_dict)
        clio_id = d.pop("clio_id")

        name = d.pop("name")

        type_ = d.pop("type")

        def _parse_contact_id(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        contact_id = _parse_contact_id(d.pop("contact_id"))

        def _parse_state(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        state = _parse_state(d.pop("state"))

        decision = Decision.from_dict(d.pop("decision"))

        would_need = []
        _would_need = d.pop("would_need")
        for would_need_item_data in _would_need:
            would_need_item = NeededChange.from_dict(would_need_item_data)

            would_need.append(would_need_item)

        explained_clio_contact = cls(
            clio_id=clio_id,
            name=name,
            type_=type_,
            contact_id=contact_id,
            state=state,
            decision=decision,
            would_need=would_need,
        )

        explained_clio_contact.additional_properties = d
        return explained_clio_contact

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
