import datetime
from typing import Any
from urllib.parse import quote

import httpx

from levitate_clio._call import Call

from ...models.connection_page import ConnectionPage
from ...models.list_connections_order import ListConnectionsOrder
from ...types import UNSET, Unset


def build(
    account_id: str,
    *,
    cursor: str | Unset = UNSET,
    limit: int | Unset = UNSET,
    order: ListConnectionsOrder | Unset = UNSET,
    since: datetime.datetime | Unset = UNSET,
    until: datetime.datetime | Unset = UNSET,
    count: bool | Unset = UNSET,
) -> Call[ConnectionPage]:
    """Return the request of `list_connections`."""

    params: dict[str, Any] = {}

    params["cursor"] = cursor

    params["limit"] = limit

    json_order: str | Unset = UNSET
    if not isinstance(order, Unset):
        json_order = order

    params["order"] = json_order

    json_since: str | Unset = UNSET
    if not isinstance(since, Unset):
        json_since = since.isoformat()
    params["since"] = json_since

    json_until: str | Unset = UNSET
    if not isinstance(until, Unset):
        json_until = until.isoformat()
    params["until"] = json_until

    params["count"] = count

    params = {k: v for k, v in params.items() if v is not UNSET and v is not None}

    _kwargs: dict[str, Any] = {
        "method": "GET",
        "path": "/v1/accounts/{account_id}/connections".format(
            account_id=quote(str(account_id), safe=""),
        ),
        "params": params,
    }
    return Call(parse=_parse, **_kwargs)


def _parse(response: httpx.Response) -> ConnectionPage:
    response_200 = ConnectionPage.from_dict(response.json())

    return response_200
