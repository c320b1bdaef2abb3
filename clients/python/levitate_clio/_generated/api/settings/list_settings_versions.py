import datetime
from typing import Any
from urllib.parse import quote

import httpx

from levitate_clio._call import Call

from ...models.list_settings_versions_order import (
    ListSettingsVersionsOrder,
)
from ...models.settings_version_page import SettingsVersionPage
from ...types import UNSET, Unset


def build(
    account_id: str,
    *,
    cursor: str | Unset = UNSET,
    limit: int | Unset = UNSET,
    order: ListSettingsVersionsOrder | Unset = UNSET,
    since: datetime.datetime | Unset = UNSET,
    until: datetime.datetime | Unset = UNSET,
    count: bool | Unset = UNSET,
) -> Call[SettingsVersionPage]:
    """Return the request of `list_settings_versions`."""

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
        "path": "/v1/accounts/{account_id}/settings/versions".format(
            account_id=quote(str(account_id), safe=""),
        ),
        "params": params,
    }
    return Call(parse=_parse, **_kwargs)


def _parse(response: httpx.Response) -> SettingsVersionPage:
    response_200 = SettingsVersionPage.from_dict(response.json())

    return response_200
