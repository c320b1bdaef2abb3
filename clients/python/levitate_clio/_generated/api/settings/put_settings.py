from typing import Any
from urllib.parse import quote

import httpx

from levitate_clio._call import Call

from ...models.settings import Settings
from ...models.settings_saved import SettingsSaved


def build(
    account_id: str,
    *,
    body: Settings,
    if_match: str,
) -> Call[SettingsSaved]:
    """Return the request of `put_settings`."""
    headers: dict[str, Any] = {}
    headers["If-Match"] = if_match

    _kwargs: dict[str, Any] = {
        "method": "PUT",
        "path": "/v1/accounts/{account_id}/settings".format(
            account_id=quote(str(account_id), safe=""),
        ),
    }
    _kwargs["json"] = body.to_dict()

    headers["Content-Type"] = "application/json"
    _kwargs["headers"] = headers
    return Call(parse=_parse, **_kwargs)


def _parse(response: httpx.Response) -> SettingsSaved:
    response_200 = SettingsSaved.from_dict(response.json())

    return response_200
