import datetime
from typing import Any
from urllib.parse import quote

import httpx

from levitate_clio._call import Call

from ...models.list_runs_kind import ListRunsKind
from ...models.list_runs_order import ListRunsOrder
from ...models.list_runs_status import ListRunsStatus
from ...models.list_runs_trigger import ListRunsTrigger
from ...models.run_page import RunPage
from ...types import UNSET, Unset


def build(
    account_id: str,
    *,
    cursor: str | Unset = UNSET,
    limit: int | Unset = UNSET,
    order: ListRunsOrder | Unset = UNSET,
    since: datetime.datetime | Unset = UNSET,
    until: datetime.datetime | Unset = UNSET,
    count: bool | Unset = UNSET,
    status: ListRunsStatus | Unset = UNSET,
    kind: ListRunsKind | Unset = UNSET,
    trigger: ListRunsTrigger | Unset = UNSET,
) -> Call[RunPage]:
    """Return the request of `list_runs`."""

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

    json_kind: str | Unset = UNSET
    if not isinstance(kind, Unset):
        json_kind = kind

    params["kind"] = json_kind

    json_trigger: str | Unset = UNSET
    if not isinstance(trigger, Unset):
        json_trigger = trigger

    params["trigger"] = json_trigger

    params = {k: v for k, v in params.items() if v is not UNSET and v is not None}

    _kwargs: dict[str, Any] = {
        "method": "GET",
        "path": "/v1/accounts/{account_id}/runs".format(
            account_id=quote(str(account_id), safe=""),
        ),
        "params": params,
    }
    return Call(parse=_parse, **_kwargs)


def _parse(response: httpx.Response) -> RunPage:
    response_200 = RunPage.from_dict(response.json())

    return response_200
