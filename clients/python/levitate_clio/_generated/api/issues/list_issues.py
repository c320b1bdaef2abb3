import datetime
from typing import Any
from urllib.parse import quote

import httpx

from levitate_clio._call import Call

from ...models.issue_page import IssuePage
from ...models.list_issues_order import ListIssuesOrder
from ...models.list_issues_severity import ListIssuesSeverity
from ...models.list_issues_status import ListIssuesStatus
from ...types import UNSET, Unset


def build(
    account_id: str,
    *,
    status: ListIssuesStatus | Unset = UNSET,
    cursor: str | Unset = UNSET,
    limit: int | Unset = UNSET,
    order: ListIssuesOrder | Unset = UNSET,
    since: datetime.datetime | Unset = UNSET,
    until: datetime.datetime | Unset = UNSET,
    count: bool | Unset = UNSET,
    code: str | Unset = UNSET,
    severity: ListIssuesSeverity | Unset = UNSET,
) -> Call[IssuePage]:
    """Return the request of `list_issues`."""

    params: dict[str, Any] = {}

    json_status: str | Unset = UNSET
    if not isinstance(status, Unset):
        json_status = status

    params["status"] = json_status

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

    params["code"] = code

    json_severity: str | Unset = UNSET
    if not isinstance(severity, Unset):
        json_severity = severity

    params["severity"] = json_severity

    params = {k: v for k, v in params.items() if v is not UNSET and v is not None}

    _kwargs: dict[str, Any] = {
        "method": "GET",
        "path": "/v1/accounts/{account_id}/issues".format(
            account_id=quote(str(account_id), safe=""),
        ),
        "params": params,
    }
    return Call(parse=_parse, **_kwargs)


def _parse(response: httpx.Response) -> IssuePage:
    response_200 = IssuePage.from_dict(response.json())

    return response_200
