from typing import Any
from urllib.parse import quote

import httpx

from levitate_clio._call import Call

from ...models.preview import Preview
from ...models.preview_in import PreviewIn
from ...types import UNSET, Unset


def build(
    account_id: str,
    *,
    body: PreviewIn,
    cursor: str | Unset = UNSET,
    limit: int | Unset = UNSET,
) -> Call[Preview]:
    """Return the request of `preview_settings`."""
    headers: dict[str, Any] = {}

    params: dict[str, Any] = {}

    params["cursor"] = cursor

    params["limit"] = limit

    params = {k: v for k, v in params.items() if v is not UNSET and v is not None}

    _kwargs: dict[str, Any] = {
        "method": "POST",
        "path": "/v1/accounts/{account_id}/settings/preview".format(
            account_id=quote(str(account_id), safe=""),
        ),
        "params": params,
    }
    _kwargs["json"] = body.to_dict()

    headers["Content-Type"] = "application/json"
    _kwargs["headers"] = headers
    return Call(parse=_parse, **_kwargs)


def _parse(response: httpx.Response) -> Preview:
    response_200 = Preview.from_dict(response.json())

    return response_200
