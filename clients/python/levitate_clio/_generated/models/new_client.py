from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

T = TypeVar("T", bound="NewClient")


@_attrs_define
class NewClient:
    """The fact that a person was recognised as a client, once and for all, and whether this was announced."""

    id: str
    """ The id of the row (`ncl_…`). A person has one row at most. """
    contact_id: str
    """ Our id of the contact. """
    clio_id: str
    """ Clio's id of the contact. """
    status: str
    """ `emitted`: the event `client.new` was sent. `held`: the announcement waits. `suppressed`: there is none.
    Known values: `emitted`, `held`, `suppressed`. """
    held_for: None | str
    """ What a held announcement waits for. `run`: the end of the run. A person's decision: `initial_sync`,
    `possible_duplicate`, because the settings say so; `surge`, because one run found too many. `merge`: Clio's
    answer whether the client exists whom this one may have replaced; the next run that reads Clio asks. Null unless
    it is held. """
    origin: str
    """ How the person was found. `initial_sync`: by the first sync. `incremental`: by a later one. `visibility`:
    because a new login sees more. `settings`: because settings, users or a decision changed. `manual`: by a person.
    Known values: `initial_sync`, `incremental`, `visibility`, `settings`, `manual`. """
    basis: str
    """ Why the person is a client. `flag`: marked as a client in Clio. `matter`: the client of a matter. `company`:
    a representative of a company that is a client. Known values: `flag`, `matter`, `company`. """
    client_since: datetime.date | None
    """ The earliest date on which one of the client's matters was opened, pending or created. Null without matters,
    and if the acting user sees none of them. """
    has_open_matter: bool
    """ Whether the client had an open matter when this row was made. """
    possible_duplicate_of: None | str
    """ The id of an older row that may be of the same person: it has the same primary email address, or the same
    name or an address and a matter that this client has now. Null if there is none. """
    merged_into: None | str
    """ Our id of the contact that this one was merged into in Clio. Null if that is not known. """
    run_id: str
    """ The id of the run that found the client, or that proved that it replaced nobody. """
    created_at: datetime.datetime
    """ When the client was found (RFC 3339, UTC). """
    emitted_at: datetime.datetime | None
    """ When the client was last announced (RFC 3339, UTC). Null if that never happened. """
    event_ids: list[str]
    """ The ids of the events `client.new`, oldest first: one for the announcement and one for each replay. """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        id = self.id

        contact_id = self.contact_id

        clio_id = self.clio_id

        status = self.status

        held_for: None | str
        held_for = self.held_for

        origin = self.origin

        basis = self.basis

        client_since: None | str
        if isinstance(self.client_since, datetime.date):
            client_since = self.client_since.isoformat()
        else:
            client_since = self.client_since

        has_open_matter = self.has_open_matter

        possible_duplicate_of: None | str
        possible_duplicate_of = self.possible_duplicate_of

        merged_into: None | str
        merged_into = self.merged_into

        run_id = self.run_id

        created_at = self.created_at.isoformat()

        emitted_at: None | str
        if isinstance(self.emitted_at, datetime.datetime):
            emitted_at = self.emitted_at.isoformat()
        else:
            emitted_at = self.emitted_at

        event_ids = self.event_ids

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "id": id,
                "contact_id": contact_id,
                "clio_id": clio_id,
                "status": status,
                "held_for": held_for,
                "origin": origin,
                "basis": basis,
                "client_since": client_since,
                "has_open_matter": has_open_matter,
                "possible_duplicate_of": possible_duplicate_of,
                "merged_into": merged_into,
                "run_id": run_id,
                "created_at": created_at,
                "emitted_at": emitted_at,
                "event_ids": event_ids,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        id = d.pop("id")

        contact_id = d.pop("contact_id")

        clio_id = d.pop("clio_id")

        status = d.pop("status")

        def _parse_held_for(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        held_for = _parse_held_for(d.pop("held_for"))

        origin = d.pop("origin")

        basis = d.pop("basis")

        def _parse_client_since(data: object) -> datetime.date | None:
            if data is None:
                return data
            try:
                if not isinstance(data, str):
                    raise TypeError()
                client_since_type_0 = datetime.date.fromisoformat(data)

                return client_since_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(datetime.date | None, data)

        client_since = _parse_client_since(d.pop("client_since"))

        has_open_matter = d.pop("has_open_matter")

        def _parse_possible_duplicate_of(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        possible_duplicate_of = _parse_possible_duplicate_of(d.pop("possible_duplicate_of"))

        def _parse_merged_into(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        merged_into = _parse_merged_into(d.pop("merged_into"))

        run_id = d.pop("run_id")

        created_at = datetime.datetime.fromisoformat(d.pop("created_at"))

        def _parse_emitted_at(data: object) -> datetime.datetime | None:
            if data is None:
                return data
            try:
                if not isinstance(data, str):
                    raise TypeError()
                emitted_at_type_0 = datetime.datetime.fromisoformat(data)

                return emitted_at_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(datetime.datetime | None, data)

        emitted_at = _parse_emitted_at(d.pop("emitted_at"))

        event_ids = cast(list[str], d.pop("event_ids"))

        new_client = cls(
            id=id,
            contact_id=contact_id,
            clio_id=clio_id,
            status=status,
            held_for=held_for,
            origin=origin,
            basis=basis,
            client_since=client_since,
            has_open_matter=has_open_matter,
            possible_duplicate_of=possible_duplicate_of,
            merged_into=merged_into,
            run_id=run_id,
            created_at=created_at,
            emitted_at=emitted_at,
            event_ids=event_ids,
        )

        new_client.additional_properties = d
        return new_client

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
