from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast

from attrs import define as _attrs_define

from ..models.many_new_clients_action import ManyNewClientsAction, check_many_new_clients_action
from ..types import UNSET, Unset

if TYPE_CHECKING:
    from ..models.new_client_filter import NewClientFilter


T = TypeVar("T", bound="ManyNewClients")


@_attrs_define
class ManyNewClients:
    """A decision about many new clients that are held. Name them by `ids`, or describe them by `filter`."""

    action: ManyNewClientsAction
    """ `release`: the event `client.new` of each is sent. `suppress`: they are never announced. """
    ids: list[str] | None | Unset = UNSET
    """ The ids of the new clients (`ncl_…`), 1 to 10,000. Null if `filter` is given. """
    filter_: NewClientFilter | None | Unset = UNSET
    """ Which held new clients are meant. Null if `ids` are given. """

    def to_dict(self) -> dict[str, Any]:
        from ..models.new_client_filter import NewClientFilter  # noqa: PLC0415

        action: str = self.action

        ids: list[str] | None | Unset
        if isinstance(self.ids, Unset):
            ids = UNSET
        elif isinstance(self.ids, list):
            ids = self.ids

        else:
            ids = self.ids

        filter_: dict[str, Any] | None | Unset
        if isinstance(self.filter_, Unset):
            filter_ = UNSET
        elif isinstance(self.filter_, NewClientFilter):
            filter_ = self.filter_.to_dict()
        else:
            filter_ = self.filter_

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "action": action,
            }
        )
        if ids is not UNSET:
            field_dict["ids"] = ids
        if filter_ is not UNSET:
            field_dict["filter"] = filter_

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.new_client_filter import NewClientFilter  # noqa: PLC0415

        d = dict(src_dict)
        action = check_many_new_clients_action(d.pop("action"))

        def _parse_ids(data: object) -> list[str] | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            try:
                if not isinstance(data, list):
                    raise TypeError()
                ids_type_0 = cast(list[str], data)

                return ids_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(list[str] | None | Unset, data)

        ids = _parse_ids(d.pop("ids", UNSET))

        def _parse_filter_(data: object) -> NewClientFilter | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            try:
                if not isinstance(data, dict):
                    raise TypeError()
                filter_type_0 = NewClientFilter.from_dict(data)

                return filter_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(NewClientFilter | None | Unset, data)

        filter_ = _parse_filter_(d.pop("filter", UNSET))

        many_new_clients = cls(
            action=action,
            ids=ids,
            filter_=filter_,
        )

        return many_new_clients
