from typing import Any
from urllib.parse import quote

import httpx

from levitate_clio._call import Call

from ...models.preexisting import Preexisting
from ...models.preexisting_in import PreexistingIn


def build(
    account_id: str,
    contact_id: str,
    *,
    body: PreexistingIn,
) -> Call[Preexisting]:
    """Return the request of `record_preexisting_tags`."""
    headers: dict[str, Any] = {}

    _kwargs: dict[str, Any] = {
        "method": "POST",
        "path": "/v1/accounts/{account_id}/contacts/{contact_id}/preexisting-tags".format(
            account_id=quote(str(account_id), safe=""),
            contact_id=quote(str(contact_id), safe=""),
        ),
    }
    _kwargs["json"] = body.to_dict()

    headers["Content-Type"] = "application/json"
    _kwargs["headers"] = headers
    return Call(parse=_parse, **_kwargs)


def _parse(response: httpx.Response) -> Preexisting:
    response_200 = Preexisting.from_dict(response.json())

    return response_200
