from typing import Any
from urllib.parse import quote

import httpx

from levitate_clio._call import Call

from ...models.account import Account


def build(
    account_id: str,
    *,
    body: Any,
    if_match: str,
) -> Call[Account]:
    """Return the request of `patch_account`."""
    headers: dict[str, Any] = {}
    headers["If-Match"] = if_match

    _kwargs: dict[str, Any] = {
        "method": "PATCH",
        "path": "/v1/accounts/{account_id}".format(
            account_id=quote(str(account_id), safe=""),
        ),
    }
    _kwargs["json"] = body

    headers["Content-Type"] = "application/merge-patch+json"
    _kwargs["headers"] = headers
    return Call(parse=_parse, **_kwargs)


def _parse(response: httpx.Response) -> Account:
    response_200 = Account.from_dict(response.json())

    return response_200
