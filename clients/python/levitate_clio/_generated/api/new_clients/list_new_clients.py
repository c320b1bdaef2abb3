import datetime
from typing import Any
from urllib.parse import quote

import httpx

from levitate_clio._call import Call

from ...models.list_new_clients_order import ListNewClientsOrder
from ...models.list_new_clients_origin import ListNewClientsOrigin
from ...models.list_new_clients_status import ListNewClientsStatus
from ...models.new_client_page import NewClientPage
from ...types import UNSET, Unset


def build(
    account_id: str,
    *,
    cursor: str | Unset = UNSET,
    limit: int | Unset = UNSET,
    order: ListNewClientsOrder | Unset = UNSET,
    since: datetime.datetime | Unset = UNSET,
    until: datetime.datetime | Unset = UNSET,
    count: bool | Unset = UNSET,
    status: ListNewClientsStatus | Unset = UNSET,
    origin: ListNewClientsOrigin | Unset = UNSET,
    run_id: str | Unset = UNSET,
) -> Call[NewClientPage]:
    """Return the request of `list_new_clients`."""

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

    json_status: str | Unset = UNSET
    if not isinstance(status, Unset):
        json_status = status

    params["status"] = json_status

    json_origin: str | Unset = UNSET
    if not isinstance(origin, Unset):
        json_origin = origin

    params["origin"] = json_origin

    params["run_id"] = run_id

    params = {k: v for k, v in params.items() if v is not UNSET and v is not None}

    _kwargs: dict[str, Any] = {
        "method": "GET",
        "path": "/v1/accounts/{account_id}/new-clients".format(
            account_id=quote(str(account_id), safe=""),
        ),
        "params": params,
    }
    return Call(parse=_parse, **_kwargs)


def _parse(response: httpx.Response) -> NewClientPage:
    response_200 = NewClientPage.from_dict(response.json())

    return response_200
