from typing import Any
from urllib.parse import quote

import httpx

from levitate_clio._call import Call

from ...models.connection_in import ConnectionIn
from ...models.started_connection import StartedConnection


def build(
    account_id: str,
    *,
    body: ConnectionIn,
) -> Call[StartedConnection]:
    """Return the request of `start_connection`."""
    headers: dict[str, Any] = {}

    _kwargs: dict[str, Any] = {
        "method": "POST",
        "path": "/v1/accounts/{account_id}/connections".format(
            account_id=quote(str(account_id), safe=""),
        ),
    }
    _kwargs["json"] = body.to_dict()

    headers["Content-Type"] = "application/json"
    _kwargs["headers"] = headers
    return Call(parse=_parse, **_kwargs)


def _parse(response: httpx.Response) -> StartedConnection:
    response_201 = StartedConnection.from_dict(response.json())

    return response_201
