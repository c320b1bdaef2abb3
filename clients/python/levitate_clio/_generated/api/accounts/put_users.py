from typing import Any, Literal
from urllib.parse import quote

import httpx

from levitate_clio._call import Call

from ...models.user_list import UserList
from ...models.users_in import UsersIn
from ...types import UNSET, Unset


def build(
    account_id: str,
    *,
    body: UsersIn,
    confirm: Literal["replace"] | Unset = UNSET,
) -> Call[UserList]:
    """Return the request of `put_users`."""
    headers: dict[str, Any] = {}

    params: dict[str, Any] = {}

    params["confirm"] = confirm

    params = {k: v for k, v in params.items() if v is not UNSET and v is not None}

    _kwargs: dict[str, Any] = {
        "method": "PUT",
        "path": "/v1/accounts/{account_id}/users".format(
            account_id=quote(str(account_id), safe=""),
        ),
        "params": params,
    }
    _kwargs["json"] = body.to_dict()

    headers["Content-Type"] = "application/json"
    _kwargs["headers"] = headers
    return Call(parse=_parse, **_kwargs)


def _parse(response: httpx.Response) -> UserList:
    response_200 = UserList.from_dict(response.json())

    return response_200
