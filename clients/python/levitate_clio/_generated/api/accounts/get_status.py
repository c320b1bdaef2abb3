from typing import Any
from urllib.parse import quote

import httpx

from levitate_clio._call import Call

from ...models.status import Status


def build(
    account_id: str,
) -> Call[Status]:
    """Return the request of `get_status`."""

    _kwargs: dict[str, Any] = {
        "method": "GET",
        "path": "/v1/accounts/{account_id}/status".format(
            account_id=quote(str(account_id), safe=""),
        ),
    }
    return Call(parse=_parse, **_kwargs)


def _parse(response: httpx.Response) -> Status:
    response_200 = Status.from_dict(response.json())

    return response_200
