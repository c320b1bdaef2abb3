from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

if TYPE_CHECKING:
    from ..models.explained_owner import ExplainedOwner
    from ..models.explained_scope import ExplainedScope
    from ..models.explained_tag import ExplainedTag
    from ..models.new_client import NewClient
    from ..models.new_client_delivery import NewClientDelivery
    from ..models.not_granted import NotGranted


T = TypeVar("T", bound="Decision")


@_attrs_define
class Decision:
    """What the rules decide about a contact of Clio, whether Levitate has it or not, and why."""

    in_scope: bool
    """ Whether the contact belongs in Levitate. """
    scope: ExplainedScope
    """ The rule that put the contact in or out of scope. """
    tags: list[ExplainedTag]
    """ The tags of the contact with their reasons. Empty if it is out of scope. """
    owner: ExplainedOwner | None
    """ How the owner was chosen. Null if the contact is out of scope. """
    not_granted: list[NotGranted]
    """ Labels that somebody may expect, and why the contact does not have them. """
    new_client: NewClient | None
    """ The row of the person in the list of new clients. Null if there is none. """
    new_client_waits: None | str
    """ Why a client has no row there yet, in plain words. Null if nothing waits. """
    new_client_deliveries: list[NewClientDelivery]
    """ The deliveries of the events of `new_client` to webhook endpoints. They are kept for 30 days. """
    seen_by: list[str]
    """ The ids of the connections whose logins see the contact in Clio. A connection that ended stays here until
    its records are removed. A limited user gets only the own one. """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        from ..models.explained_owner import ExplainedOwner  # noqa: PLC0415
        from ..models.new_client import NewClient  # noqa: PLC0415

        in_scope = self.in_scope

        scope = self.scope.to_dict()

        tags = []
        for tags_item_data in self.tags:
            tags_item = tags_item_data.to_dict()
            tags.append(tags_item)

        owner: dict[str, Any] | None
        if isinstance(self.owner, ExplainedOwner):
            owner = self.owner.to_dict()
        else:
            owner = self.owner

        not_granted = []
        for not_granted_item_data in self.not_granted:
            not_granted_item = not_granted_item_data.to_dict()
            not_granted.append(not_granted_item)

        new_client: dict[str, Any] | None
        if isinstance(self.new_client, NewClient):
            new_client = self.new_client.to_dict()
        else:
            new_client = self.new_client

        new_client_waits: None | str
        new_client_waits = self.new_client_waits

        new_client_deliveries = []
        for new_client_deliveries_item_data in self.new_client_deliveries:
            new_client_deliveries_item = new_client_deliveries_item_data.to_dict()
            new_client_deliveries.append(new_client_deliveries_item)

        seen_by = self.seen_by

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "in_scope": in_scope,
                "scope": scope,
                "tags": tags,
                "owner": owner,
                "not_granted": not_granted,
                "new_client": new_client,
                "new_client_waits": new_client_waits,
                "new_client_deliveries": new_client_deliveries,
                "seen_by": seen_by,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.explained_owner import ExplainedOwner  # noqa: PLC0415
        from ..models.explained_scope import ExplainedScope  # noqa: PLC0415
        from ..models.explained_tag import ExplainedTag  # noqa: PLC0415
        from ..models.new_client import NewClient  # noqa: PLC0415
        from ..models.new_client_delivery import NewClientDelivery  # noqa: PLC0415
        from ..models.not_granted import NotGranted  # noqa: PLC0415

        d = dict(src_dict)
        in_scope = d.pop("in_scope")

        scope = ExplainedScope.from_dict(d.pop("scope"))

        tags = []
        _tags = d.pop("tags")
        for tags_item_data in _tags:
            tags_item = ExplainedTag.from_dict(tags_item_data)

            tags.append(tags_item)

        def _parse_owner(data: object) -> ExplainedOwner | None:
            if data is None:
                return data
            try:
                if not isinstance(data, dict):
                    raise TypeError()
                owner_type_0 = ExplainedOwner.from_dict(data)

                return owner_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(ExplainedOwner | None, data)

        owner = _parse_owner(d.pop("owner"))

        not_granted = []
        _not_granted = d.pop("not_granted")
        for not_granted_item_data in _not_granted:
            not_granted_item = NotGranted.from_dict(not_granted_item_data)

            not_granted.append(not_granted_item)

        def _parse_new_client(data: object) -> NewClient | None:
            if data is None:
                return data
            try:
                if not isinstance(data, dict):
                    raise TypeError()
                new_client_type_0 = NewClient.from_dict(data)

                return new_client_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(NewClient | None, data)

        new_client = _parse_new_client(d.pop("new_client"))

        def _parse_new_client_waits(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        new_client_waits = _parse_new_client_waits(d.pop("new_client_waits"))

        new_client_deliveries = []
        _new_client_deliveries = d.pop("new_client_deliveries")
        for new_client_deliveries_item_data in _new_client_deliveries:
            new_client_deliveries_item = NewClientDelivery.from_dict(
                new_client_deliveries_item_data
            )

            new_client_deliveries.append(new_client_deliveries_item)

        seen_by = cast(list[str], d.pop("seen_by"))

        decision = cls(
            in_scope=in_scope,
            scope=scope,
            tags=tags,
            owner=owner,
            not_granted=not_granted,
            new_client=new_client,
            new_client_waits=new_client_waits,
            new_client_deliveries=new_client_deliveries,
            seen_by=seen_by,
        )

        decision.additional_properties = d
        return decision

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
