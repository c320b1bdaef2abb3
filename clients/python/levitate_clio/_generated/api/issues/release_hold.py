from typing import Any
from urllib.parse import quote

import httpx

from levitate_clio._call import Call

from ...models.hold import Hold
from ...models.release_decision import ReleaseDecision
from ...types import UNSET, Unset


def build(
    account_id: str,
    hold_id: str,
    *,
    body: ReleaseDecision | Unset = UNSET,
) -> Call[Hold]:
    """Return the request of `release_hold`."""
    headers: dict[str, Any] = {}

    _kwargs: dict[str, Any] = {
        "method": "POST",
        "path": "/v1/accounts/{account_id}/holds/{hold_id}/release".format(
            account_id=quote(str(account_id), safe=""),
            hold_id=quote(str(hold_id), safe=""),
        ),
    }

    if not isinstance(body, Unset):
        _kwargs["json"] = body.to_dict()

    headers["Content-Type"] = "application/json"
    _kwargs["headers"] = headers
    return Call(parse=_parse, **_kwargs)


def _parse(response: httpx.Response) -> Hold:
    response_200 = Hold.from_dict(response.json())

    return response_200
