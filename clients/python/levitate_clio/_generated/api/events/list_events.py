from typing import Any

import httpx

from levitate_clio._call import Call

from ...models.event_kind import EventKind
from ...models.event_page import EventPage
from ...types import UNSET, Unset


def build(
    *,
    wait: int | Unset = UNSET,
    type_: EventKind | Unset = UNSET,
    account_id: str | Unset = UNSET,
    cursor: str | Unset = UNSET,
    limit: int | Unset = UNSET,
) -> Call[EventPage]:
    """Return the request of `list_events`."""

    params: dict[str, Any] = {}

    params["wait"] = wait

    json_type_: str | Unset = UNSET
    if not isinstance(type_, Unset):
        json_type_ = type_

    params["type"] = json_type_

    params["account_id"] = account_id

    params["cursor"] = cursor

    params["limit"] = limit

    params = {k: v for k, v in params.items() if v is not UNSET and v is not None}

    _kwargs: dict[str, Any] = {
        "method": "GET",
        "path": "/v1/events",
        "params": params,
    }
    return Call(parse=_parse, **_kwargs)


def _parse(response: httpx.Response) -> EventPage:
    response_200 = EventPage.from_dict(response.json())

    return response_200
