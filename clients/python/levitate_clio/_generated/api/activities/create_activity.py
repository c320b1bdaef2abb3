from typing import Any
from urllib.parse import quote

import httpx

from levitate_clio._call import Call

from ...models.activity import Activity
from ...models.activity_in import ActivityIn
from ...types import UNSET, Unset


def build(
    account_id: str,
    *,
    body: ActivityIn,
    idempotency_key: str | Unset = UNSET,
) -> Call[Activity]:
    """Return the request of `create_activity`."""
    headers: dict[str, Any] = {}
    if not isinstance(idempotency_key, Unset):
        headers["Idempotency-Key"] = idempotency_key

    _kwargs: dict[str, Any] = {
        "method": "POST",
        "path": "/v1/accounts/{account_id}/activities".format(
            account_id=quote(str(account_id), safe=""),
        ),
        "takes_key": True,
    }
    _kwargs["json"] = body.to_dict()

    headers["Content-Type"] = "application/json"
    _kwargs["headers"] = headers
    return Call(parse=_parse, **_kwargs)


def _parse(response: httpx.Response) -> Activity:
    response_200 = Activity.from_dict(response.json())

    return response_200
