from typing import Any
from urllib.parse import quote

import httpx

from levitate_clio._call import Call

from ...models.change_feed_page import ChangeFeedPage
from ...types import UNSET, Unset


def build(
    account_id: str,
    *,
    cursor: str | Unset = UNSET,
    limit: int | Unset = UNSET,
    wait: int | Unset = UNSET,
) -> Call[ChangeFeedPage]:
    """Return the request of `list_changes`."""

    params: dict[str, Any] = {}

    params["cursor"] = cursor

    params["limit"] = limit

    params["wait"] = wait

    params = {k: v for k, v in params.items() if v is not UNSET and v is not None}

    _kwargs: dict[str, Any] = {
        "method": "GET",
        "path": "/v1/accounts/{account_id}/changes".format(
            account_id=quote(str(account_id), safe=""),
        ),
        "params": params,
    }
    return Call(parse=_parse, **_kwargs)


def _parse(response: httpx.Response) -> ChangeFeedPage:
    response_200 = ChangeFeedPage.from_dict(response.json())

    return response_200
