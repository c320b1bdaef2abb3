from typing import Any
from urllib.parse import quote

import httpx

from levitate_clio._call import Call

from ...models.connect_link import ConnectLink
from ...models.connect_link_in import ConnectLinkIn


def build(
    account_id: str,
    *,
    body: ConnectLinkIn,
) -> Call[ConnectLink]:
    """Return the request of `create_connect_link`."""
    headers: dict[str, Any] = {}

    _kwargs: dict[str, Any] = {
        "method": "POST",
        "path": "/v1/accounts/{account_id}/connect-links".format(
            account_id=quote(str(account_id), safe=""),
        ),
    }
    _kwargs["json"] = body.to_dict()

    headers["Content-Type"] = "application/json"
    _kwargs["headers"] = headers
    return Call(parse=_parse, **_kwargs)


def _parse(response: httpx.Response) -> ConnectLink:
    response_201 = ConnectLink.from_dict(response.json())

    return response_201
