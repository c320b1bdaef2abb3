from typing import Any
from urllib.parse import quote

import httpx

from levitate_clio._call import Call

from ...models.attorney_page import AttorneyPage
from ...types import UNSET, Unset


def build(
    account_id: str,
    *,
    unmapped: bool | Unset = UNSET,
    cursor: str | Unset = UNSET,
    limit: int | Unset = UNSET,
) -> Call[AttorneyPage]:
    """Return the request of `list_attorneys`."""

    params: dict[str, Any] = {}

    params["unmapped"] = unmapped

    params["cursor"] = cursor

    params["limit"] = limit

    params = {k: v for k, v in params.items() if v is not UNSET and v is not None}

    _kwargs: dict[str, Any] = {
        "method": "GET",
        "path": "/v1/accounts/{account_id}/attorneys".format(
            account_id=quote(str(account_id), safe=""),
        ),
        "params": params,
    }
    return Call(parse=_parse, **_kwargs)


def _parse(response: httpx.Response) -> AttorneyPage:
    response_200 = AttorneyPage.from_dict(response.json())

    return response_200
