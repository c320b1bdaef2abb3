from typing import Any
from urllib.parse import quote

import httpx

from levitate_clio._call import Call

from ...models.connection import Connection


def build(
    account_id: str,
    connection_id: str,
) -> Call[Connection]:
    """Return the request of `get_connection`."""

    _kwargs: dict[str, Any] = {
        "method": "GET",
        "path": "/v1/accounts/{account_id}/connections/{connection_id}".format(
            account_id=quote(str(account_id), safe=""),
            connection_id=quote(str(connection_id), safe=""),
        ),
    }
    return Call(parse=_parse, **_kwargs)


def _parse(response: httpx.Response) -> Connection:
    response_200 = Connection.from_dict(response.json())

    return response_200
