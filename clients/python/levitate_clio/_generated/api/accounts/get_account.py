from typing import Any
from urllib.parse import quote

import httpx

from levitate_clio._call import Call

from ...models.account import Account


def build(
    account_id: str,
) -> Call[Account]:
    """Return the request of `get_account`."""

    _kwargs: dict[str, Any] = {
        "method": "GET",
        "path": "/v1/accounts/{account_id}".format(
            account_id=quote(str(account_id), safe=""),
        ),
    }
    return Call(parse=_parse, **_kwargs)


def _parse(response: httpx.Response) -> Account:
    response_200 = Account.from_dict(response.json())

    return response_200
