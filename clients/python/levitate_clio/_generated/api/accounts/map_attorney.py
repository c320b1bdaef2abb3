from typing import Any
from urllib.parse import quote

import httpx

from levitate_clio._call import Call

from ...models.attorney import Attorney
from ...models.attorney_in import AttorneyIn


def build(
    account_id: str,
    clio_user_id: str,
    *,
    body: AttorneyIn,
) -> Call[Attorney]:
    """Return the request of `map_attorney`."""
    headers: dict[str, Any] = {}

    _kwargs: dict[str, Any] = {
        "method": "PUT",
        "path": "/v1/accounts/{account_id}/attorneys/{clio_user_id}".format(
            account_id=quote(str(account_id), safe=""),
            clio_user_id=quote(str(clio_user_id), safe=""),
        ),
    }
    _kwargs["json"] = body.to_dict()

    headers["Content-Type"] = "application/json"
    _kwargs["headers"] = headers
    return Call(parse=_parse, **_kwargs)


def _parse(response: httpx.Response) -> Attorney:
    response_200 = Attorney.from_dict(response.json())

    return response_200
