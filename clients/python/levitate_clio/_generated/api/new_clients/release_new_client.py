from typing import Any
from urllib.parse import quote

import httpx

from levitate_clio._call import Call

from ...models.new_client import NewClient


def build(
    account_id: str,
    new_client_id: str,
) -> Call[NewClient]:
    """Return the request of `release_new_client`."""

    _kwargs: dict[str, Any] = {
        "method": "POST",
        "path": "/v1/accounts/{account_id}/new-clients/{new_client_id}/release".format(
            account_id=quote(str(account_id), safe=""),
            new_client_id=quote(str(new_client_id), safe=""),
        ),
    }
    return Call(parse=_parse, **_kwargs)


def _parse(response: httpx.Response) -> NewClient:
    response_200 = NewClient.from_dict(response.json())

    return response_200
