from typing import Any
from urllib.parse import quote

import httpx

from levitate_clio._call import Call

from ...models.user_list import UserList


def build(
    account_id: str,
) -> Call[UserList]:
    """Return the request of `get_users`."""

    _kwargs: dict[str, Any] = {
        "method": "GET",
        "path": "/v1/accounts/{account_id}/users".format(
            account_id=quote(str(account_id), safe=""),
        ),
    }
    return Call(parse=_parse, **_kwargs)


def _parse(response: httpx.Response) -> UserList:
    response_200 = UserList.from_dict(response.json())

    return response_200
