from typing import Any
from urllib.parse import quote

import httpx

from levitate_clio._call import Call

from ...models.account import Account
from ...models.account_in import AccountIn
from ...types import UNSET, Unset


def build(
    account_id: str,
    *,
    body: AccountIn,
    if_match: str | Unset = UNSET,
) -> Call[Account]:
    """Return the request of `put_account`."""
    headers: dict[str, Any] = {}
    if not isinstance(if_match, Unset):
        headers["If-Match"] = if_match

    _kwargs: dict[str, Any] = {
        "method": "PUT",
        "path": "/v1/accounts/{account_id}".format(
            account_id=quote(str(account_id), safe=""),
        ),
    }
    _kwargs["json"] = body.to_dict()

    headers["Content-Type"] = "application/json"
    _kwargs["headers"] = headers
    return Call(parse=_parse, **_kwargs)


def _parse(response: httpx.Response) -> Account:
    response_200 = Account.from_dict(response.json())

    return response_200
