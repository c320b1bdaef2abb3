from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, cast

from attrs import define as _attrs_define

from ..models.account_in_publish_type_0 import (
    AccountInPublishType0,
    check_account_in_publish_type_0,
)
from ..types import UNSET, Unset

T = TypeVar("T", bound="AccountIn")


@_attrs_define
class AccountIn:
    """The account to create, or all of its fields to change."""

    name: str
    """ The name of the firm. """
    time_zone: str
    """ The firm's time zone: one of the IANA database that names a place, for example `America/New_York`, or `UTC`.
    Scheduled runs and the dates of notes use it. """
    country: str
    """ The firm's country (ISO 3166 alpha-2). Phone numbers without a country code belong to it. """
    enabled: bool
    """ Whether the integration is on. While it is off, no new work with Clio starts; all data is kept. """
    primary_user_id: None | str | Unset = UNSET
    """ Levitate's id of the user who owns contacts without an attorney, if the settings say so. Null for nobody.
    """
    publish: AccountInPublishType0 | None | Unset = UNSET
    """ How contacts reach Levitate for the first time. `automatic`: as the first run reads them. `after_review`:
    the first run ends in a hold of kind `first_publication`, and nobody is published before a person releases it.
    It counts when the first run begins; after the release of the whole hold it has no effect. Leave it out to keep
    it; a new account is `automatic`. """

    def to_dict(self) -> dict[str, Any]:
        name = self.name

        time_zone = self.time_zone

        country = self.country

        enabled = self.enabled

        primary_user_id: None | str | Unset
        if isinstance(self.primary_user_id, Unset):
            primary_user_id = UNSET
        else:
            primary_user_id = self.primary_user_id

        publish: None | str | Unset
        if isinstance(self.publish, Unset):
            publish = UNSET
        elif isinstance(self.publish, str):
            publish = self.publish
        else:
            publish = self.publish

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "name": name,
                "time_zone": time_zone,
                "country": country,
                "enabled": enabled,
            }
        )
        if primary_user_id is not UNSET:
            field_dict["primary_user_id"] = primary_user_id
        if publish is not UNSET:
            field_dict["publish"] = publish

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        name = d.pop("name")

        time_zone = d.pop("time_zone")

        country = d.pop("country")

        enabled = d.pop("enabled")

        def _parse_primary_user_id(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, data)

        primary_user_id = _parse_primary_user_id(d.pop("primary_user_id", UNSET))

        def _parse_publish(data: object) -> AccountInPublishType0 | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            try:
                if not isinstance(data, str):
                    raise TypeError()
                publish_type_0 = check_account_in_publish_type_0(data)

                return publish_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(AccountInPublishType0 | None | Unset, data)

        publish = _parse_publish(d.pop("publish", UNSET))

        account_in = cls(
            name=name,
            time_zone=time_zone,
            country=country,
            enabled=enabled,
            primary_user_id=primary_user_id,
            publish=publish,
        )

        return account_in
