import datetime
from typing import Any
from urllib.parse import quote

import httpx

from levitate_clio._call import Call

from ...models.delivery_page import DeliveryPage
from ...models.event_kind import EventKind
from ...models.list_deliveries_order import ListDeliveriesOrder
from ...models.list_deliveries_status import ListDeliveriesStatus
from ...types import UNSET, Unset


def build(
    endpoint_id: str,
    *,
    cursor: str | Unset = UNSET,
    limit: int | Unset = UNSET,
    order: ListDeliveriesOrder | Unset = UNSET,
    since: datetime.datetime | Unset = UNSET,
    until: datetime.datetime | Unset = UNSET,
    count: bool | Unset = UNSET,
    status: ListDeliveriesStatus | Unset = UNSET,
    type_: EventKind | Unset = UNSET,
    account_id: str | Unset = UNSET,
) -> Call[DeliveryPage]:
    """Return the request of `list_deliveries`."""

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

    json_type_: str | Unset = UNSET
    if not isinstance(type_, Unset):
        json_type_ = type_

    params["type"] = json_type_

    params["account_id"] = account_id

    params = {k: v for k, v in params.items() if v is not UNSET and v is not None}

    _kwargs: dict[str, Any] = {
        "method": "GET",
        "path": "/v1/webhook-endpoints/{endpoint_id}/deliveries".format(
            endpoint_id=quote(str(endpoint_id), safe=""),
        ),
        "params": params,
    }
    return Call(parse=_parse, **_kwargs)


def _parse(response: httpx.Response) -> DeliveryPage:
    response_200 = DeliveryPage.from_dict(response.json())

    return response_200
