from typing import Any
from urllib.parse import quote

import httpx

from levitate_clio._call import Call

from ...models.activity import Activity


def build(
    account_id: str,
    activity_id: str,
) -> Call[Activity]:
    """Return the request of `cancel_activity`."""

    _kwargs: dict[str, Any] = {
        "method": "POST",
        "path": "/v1/accounts/{account_id}/activities/{activity_id}/cancel".format(
            account_id=quote(str(account_id), safe=""),
            activity_id=quote(str(activity_id), safe=""),
        ),
    }
    return Call(parse=_parse, **_kwargs)


def _parse(response: httpx.Response) -> Activity:
    response_200 = Activity.from_dict(response.json())

    return response_200
