from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

if TYPE_CHECKING:
    from ..models.clio_user import ClioUser
    from ..models.code_detail import CodeDetail


T = TypeVar("T", bound="Connection")


@_attrs_define
class Connection:
    """A Levitate user's authorisation to use a Clio login. It never contains a token."""

    id: str
    """ The id of the connection (`cnx_…`). A user has at most one connection in an account. """
    user_id: str
    """ Levitate's id of the user. """
    region: str
    """ A region of Clio: United States, Europe, Canada or Australia. A login of one does not work in another. Known
    values: `us`, `eu`, `ca`, `au`. """
    status: str
    """ `pending`: the user has not finished on Clio's page. `connected`: it works. `needs_reconnect`: Clio no
    longer accepts the login, and the user must connect again. `disconnected`: somebody ended it, or connecting
    failed. `declined`: the user refused access on Clio's page. Known values: `pending`, `connected`,
    `needs_reconnect`, `disconnected`, `declined`. """
    clio_user: ClioUser | None
    """ The Clio user that the login belongs to. Null until the user has connected once. """
    connected_at: datetime.datetime | None
    """ When the user last allowed access (RFC 3339, UTC). Null until then. """
    last_sync_at: datetime.datetime | None
    """ When a run last read everything that this login sees (RFC 3339, UTC). Null until then. """
    problem: CodeDetail | None
    """ What is wrong with the connection and what to do about it. Null if nothing is wrong. """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        from ..models.clio_user import ClioUser  # noqa: PLC0415
        from ..models.code_detail import CodeDetail  # noqa: PLC0415

        id = self.id

        user_id = self.user_id

        region = self.region

        status = self.status

        clio_user: dict[str, Any] | None
        if isinstance(self.clio_user, ClioUser):
            clio_user = self.clio_user.to_dict()
        else:
            clio_user = self.clio_user

        connected_at: None | str
        if isinstance(self.connected_at, datetime.datetime):
            connected_at = self.connected_at.isoformat()
        else:
            connected_at = self.connected_at

        last_sync_at: None | str
        if isinstance(self.last_sync_at, datetime.datetime):
            last_sync_at = self.last_sync_at.isoformat()
        else:
            last_sync_at = self.last_sync_at

        problem: dict[str, Any] | None
        if isinstance(self.problem, CodeDetail):
            problem = self.problem.to_dict()
        else:
            problem = self.problem

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "id": id,
                "user_id": user_id,
                "region": region,
                "status": status,
                "clio_user": clio_user,
                "connected_at": connected_at,
                "last_sync_at": last_sync_at,
                "problem": problem,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.clio_user import ClioUser  # noqa: PLC0415
        from ..models.code_detail import CodeDetail  # noqa: PLC0415

        d = dict(src_dict)
        id = d.pop("id")

        user_id = d.pop("user_id")

        region = d.pop("region")

        status = d.pop("status")

        def _parse_clio_user(data: object) -> ClioUser | None:
            if data is None:
                return data
            try:
                if not isinstance(data, dict):
                    raise TypeError()
                clio_user_type_0 = ClioUser.from_dict(data)

                return clio_user_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(ClioUser | None, data)

        clio_user = _parse_clio_user(d.pop("clio_user"))

        def _parse_connected_at(data: object) -> datetime.datetime | None:
            if data is None:
                return data
            try:
                if not isinstance(data, str):
                    raise TypeError()
                connected_at_type_0 = datetime.datetime.fromisoformat(data)

                return connected_at_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(datetime.datetime | None, data)

        connected_at = _parse_connected_at(d.pop("connected_at"))

        def _parse_last_sync_at(data: object) -> datetime.datetime | None:
            if data is None:
                return data
            try:
                if not isinstance(data, str):
                    raise TypeError()
                last_sync_at_type_0 = datetime.datetime.fromisoformat(data)

                return last_sync_at_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(datetime.datetime | None, data)

        last_sync_at = _parse_last_sync_at(d.pop("last_sync_at"))

        def _parse_problem(data: object) -> CodeDetail | None:
            if data is None:
                return data
            try:
                if not isinstance(data, dict):
                    raise TypeError()
                problem_type_0 = CodeDetail.from_dict(data)

                return problem_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(CodeDetail | None, data)

        problem = _parse_problem(d.pop("problem"))

        connection = cls(
            id=id,
            user_id=user_id,
            region=region,
            status=status,
            clio_user=clio_user,
            connected_at=connected_at,
            last_sync_at=last_sync_at,
            problem=problem,
        )

        connection.additional_properties = d
        return connection

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
