from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, cast

from attrs import define as _attrs_define

from ..types import UNSET, Unset

T = TypeVar("T", bound="WebhookEndpointIn")


@_attrs_define
class WebhookEndpointIn:
    """A webhook endpoint to add."""

    url: str
    """ The https URL on port 443 to which events are posted. At most 2,000 characters. It must lead to the public
    internet; hosts that this service is configured for may be private. """
    events: list[str] | Unset = UNSET
    """ The types of the events to send, for example `client.new`. `*` means all types, also future ones. """
    description: str | Unset = UNSET
    """ A text of your choice to recognise the endpoint by, at most 200 characters. """

    def to_dict(self) -> dict[str, Any]:
        url = self.url

        events: list[str] | Unset = UNSET
        if not isinstance(self.events, Unset):
            events = self.events

        description = self.description

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "url": url,
            }
        )
        if events is not UNSET:
            field_dict["events"] = events
        if description is not UNSET:
            field_dict["description"] = description

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        url = d.pop("url")

        events = cast(list[str], d.pop("events", UNSET))

        description = d.pop("description", UNSET)

        webhook_endpoint_in = cls(
            url=url,
            events=events,
            description=description,
        )

        return webhook_endpoint_in
