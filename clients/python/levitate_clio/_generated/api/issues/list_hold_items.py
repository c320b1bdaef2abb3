from typing import Any
from urllib.parse import quote

import httpx

from levitate_clio._call import Call

from ...models.hold_item_page import HoldItemPage
from ...types import UNSET, Unset


def build(
    account_id: str,
    hold_id: str,
    *,
    cursor: str | Unset = UNSET,
    limit: int | Unset = UNSET,
) -> Call[HoldItemPage]:
    """Return the request of `list_hold_items`."""

    params: dict[str, Any] = {}

    params["cursor"] = cursor

    params["limit"] = limit

    params = {k: v for k, v in params.items() if v is not UNSET and v is not None}

    _kwargs: dict[str, Any] = {
        "method": "GET",
        "path": "/v1/accounts/{account_id}/holds/{hold_id}/items".format(
            account_id=quote(str(account_id), safe=""),
            hold_id=quote(str(hold_id), safe=""),
        ),
        "params": params,
    }
    return Call(parse=_parse, **_kwargs)


def _parse(response: httpx.Response) -> HoldItemPage:
    response_200 = HoldItemPage.from_dict(response.json())

    return response_200
