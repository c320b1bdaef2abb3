import datetime
from typing import Any

import httpx

from levitate_clio._call import Call

from ...models.audit_entry_page import AuditEntryPage
from ...models.list_service_audit_order import ListServiceAuditOrder
from ...types import UNSET, Unset


def build(
    *,
    cursor: str | Unset = UNSET,
    limit: int | Unset = UNSET,
    order: ListServiceAuditOrder | Unset = UNSET,
    since: datetime.datetime | Unset = UNSET,
    until: datetime.datetime | Unset = UNSET,
    count: bool | Unset = UNSET,
    actor: str | Unset = UNSET,
    action: str | Unset = UNSET,
) -> Call[AuditEntryPage]:
    """Return the request of `list_service_audit`."""

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

    params["actor"] = actor

    params["action"] = action

    params = {k: v for k, v in params.items() if v is not UNSET and v is not None}

    _kwargs: dict[str, Any] = {
        "method": "GET",
        "path": "/v1/audit",
        "params": params,
    }
    return Call(parse=_parse, **_kwargs)


def _parse(response: httpx.Response) -> AuditEntryPage:
    response_200 = AuditEntryPage.from_dict(response.json())

    return response_200
