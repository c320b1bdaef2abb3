from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, cast

from attrs import define as _attrs_define

from ..types import UNSET, Unset

T = TypeVar("T", bound="ReleaseDecision")


@_attrs_define
class ReleaseDecision:
    """A release of some items of a hold, with the choice for the new clients of a first publication."""

    ids: list[str] | None | Unset = UNSET
    """ The ids of the items, 1 to 10,000. The other items stay in the hold. Leave it out for the whole hold. """
    new_clients: None | str | Unset = UNSET
    """ Only for a hold of kind `first_publication`. `emit`: those who are published are announced. `hold`: they
    wait in a hold of kind `new_clients`. `suppress`: they are never announced. Leave it out for the setting
    `new_client.initial_sync`. """

    def to_dict(self) -> dict[str, Any]:
        ids: list[str] | None | Unset
        if isinstance(self.ids, Unset):
            ids = UNSET
        elif isinstance(self.ids, list):
            ids = self.ids

        else:
            ids = self.ids

        new_clients: None | str | Unset
        if isinstance(self.new_clients, Unset):
            new_clients = UNSET
        else:
            new_clients = self.new_clients

        field_dict: dict[str, Any] = {}

        field_dict.update({})
        if ids is not UNSET:
            field_dict["ids"] = ids
        if new_clients is not UNSET:
            field_dict["new_clients"] = new_clients

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)

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

        def _parse_new_clients(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, data)

        new_clients = _parse_new_clients(d.pop("new_clients", UNSET))

        release_decision = cls(
            ids=ids,
            new_clients=new_clients,
        )

        return release_decision
