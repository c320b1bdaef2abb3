from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast

from attrs import define as _attrs_define

if TYPE_CHECKING:
    from ..models.clio_firm import ClioFirm


T = TypeVar("T", bound="Account")


@_attrs_define
class Account:
    """An account: one law firm that is a customer of Levitate."""

    name: str
    """ The name of the firm. """
    time_zone: str
    """ The firm's time zone. Older accounts may have one that can no longer be chosen; one that is unknown counts
    as UTC. """
    country: str
    """ The firm's country (ISO 3166 alpha-2). Phone numbers without a country code belong to it. """
    primary_user_id: None | str
    """ Levitate's id of the user who owns contacts without an attorney, if the settings say so. Null for nobody.
    """
    enabled: bool
    """ Whether the integration is on. While it is off, no new work with Clio starts; all data is kept. """
    publish: str
    """ How contacts reach Levitate for the first time: `automatic`, or `after_review` by a person. Known values:
    `automatic`, `after_review`. """
    id: str
    """ Levitate's id of the account, as in the path. """
    clio: ClioFirm | None
    """ The firm in Clio. Null until the first login is connected. """
    created_at: datetime.datetime
    """ When the account was created (RFC 3339, UTC). """
    updated_at: datetime.datetime
    """ When the account was last saved with `PUT` or `PATCH` (RFC 3339, UTC). """

    def to_dict(self) -> dict[str, Any]:
        from ..models.clio_firm import ClioFirm  # noqa: PLC0415

        name = self.name

        time_zone = self.time_zone

        country = self.country

        primary_user_id: None | str
        primary_user_id = self.primary_user_id

        enabled = self.enabled

        publish = self.publish

        id = self.id

        clio: dict[str, Any] | None
        if isinstance(self.clio, ClioFirm):
            clio = self.clio.to_dict()
        else:
            clio = self.clio

        created_at = self.created_at.isoformat()

        updated_at = self.updated_at.isoformat()

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "name": name,
                "time_zone": time_zone,
                "country": country,
                "primary_user_id": primary_user_id,
                "enabled": enabled,
                "publish": publish,
                "id": id,
                "clio": clio,
                "created_at": created_at,
                "updated_at": updated_at,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.clio_firm import ClioFirm  # noqa: PLC0415

        d = dict(src_dict)
        name = d.pop("name")

        time_zone = d.pop("time_zone")

        country = d.pop("country")

        def _parse_primary_user_id(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        primary_user_id = _parse_primary_user_id(d.pop("primary_user_id"))

        enabled = d.pop("enabled")

        publish = d.pop("publish")

        id = d.pop("id")

        def _parse_clio(data: object) -> ClioFirm | None:
            if data is None:
                return data
            try:
                if not isinstance(data, dict):
                    raise TypeError()
                clio_type_0 = ClioFirm.from_dict(data)

                return clio_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(ClioFirm | None, data)

        clio = _parse_clio(d.pop("clio"))

        created_at = datetime.datetime.fromisoformat(d.pop("created_at"))

        updated_at = datetime.datetime.fromisoformat(d.pop("updated_at"))

        account = cls(
            name=name,
            time_zone=time_zone,
            country=country,
            primary_user_id=primary_user_id,
            enabled=enabled,
            publish=publish,
            id=id,
            clio=clio,
            created_at=created_at,
            updated_at=updated_at,
        )

        return account
