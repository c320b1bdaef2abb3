from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast

from attrs import define as _attrs_define

from ..types import UNSET, Unset

if TYPE_CHECKING:
    from ..models.segment import Segment


T = TypeVar("T", bound="ScopeSettings")


@_attrs_define
class ScopeSettings:
    """The settings that decide which contacts are in scope.

    Clients are, unless the segment or the opt-out field excludes them, or they have neither name nor email address.

    """

    include_non_clients: bool | Unset = UNSET
    """ Whether people who are not clients are in scope too. """
    include_related: bool | Unset = UNSET
    """ Whether people with a relationship to another client's matter are in scope too. """
    related_role_exclude: list[str] | Unset = UNSET
    """ Roles in a matter that keep a person who is not a client out of scope, for example `opposing*`. `*` matches
    any text; case does not matter. At most 200. """
    primary_email_only: bool | Unset = UNSET
    """ Whether Levitate gets only the primary email address of each contact. """
    segment: Segment | Unset = UNSET
    """ Limits the scope by tags. An empty list has no effect. """
    opt_out_field_id: None | str | Unset = UNSET
    """ A checkbox of contacts in Clio that keeps a person out of scope when it is ticked. Null for none. """

    def to_dict(self) -> dict[str, Any]:
        include_non_clients = self.include_non_clients

        include_related = self.include_related

        related_role_exclude: list[str] | Unset = UNSET
        if not isinstance(self.related_role_exclude, Unset):
            related_role_exclude = self.related_role_exclude

        primary_email_only = self.primary_email_only

        segment: dict[str, Any] | Unset = UNSET
        if not isinstance(self.segment, Unset):
            segment = self.segment.to_dict()

        opt_out_field_id: None | str | Unset
        if isinstance(self.opt_out_field_id, Unset):
            opt_out_field_id = UNSET
        else:
            opt_out_field_id = self.opt_out_field_id

        field_dict: dict[str, Any] = {}

        field_dict.update({})
        if include_non_clients is not UNSET:
            field_dict["include_non_clients"] = include_non_clients
        if include_related is not UNSET:
            field_dict["include_related"] = include_related
        if related_role_exclude is not UNSET:
            field_dict["related_role_exclude"] = related_role_exclude
        if primary_email_only is not UNSET:
            field_dict["primary_email_only"] = primary_email_only
        if segment is not UNSET:
            field_dict["segment"] = segment
        if opt_out_field_id is not UNSET:
            field_dict["opt_out_field_id"] = opt_out_field_id

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.segment import Segment  # noqa: PLC0415

        d = dict(src_dict)
        include_non_clients = d.pop("include_non_clients", UNSET)

        include_related = d.pop("include_related", UNSET)

        related_role_exclude = cast(list[str], d.pop("related_role_exclude", UNSET))

        primary_email_only = d.pop("primary_email_only", UNSET)

        _segment = d.pop("segment", UNSET)
        segment: Segment | Unset
        if isinstance(_segment, Unset):
            segment = UNSET
        else:
            segment = Segment.from_dict(_segment)

        def _parse_opt_out_field_id(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, data)

        opt_out_field_id = _parse_opt_out_field_id(d.pop("opt_out_field_id", UNSET))

        scope_settings = cls(
            include_non_clients=include_non_clients,
            include_related=include_related,
            related_role_exclude=related_role_exclude,
            primary_email_only=primary_email_only,
            segment=segment,
            opt_out_field_id=opt_out_field_id,
        )

        return scope_settings
