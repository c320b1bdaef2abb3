from typing import Any
from urllib.parse import quote

import httpx

from levitate_clio._call import Call

from ...models.clio_contact_page import ClioContactPage
from ...types import UNSET, Unset


def build(
    account_id: str,
    *,
    q: str | Unset = UNSET,
    cursor: str | Unset = UNSET,
    limit: int | Unset = UNSET,
) -> Call[ClioContactPage]:
    """Return the request of `list_clio_contacts`."""

    params: dict[str, Any] = {}

    params["q"] = q

    params["cursor"] = cursor

    params["limit"] = limit

    params = {k: v for k, v in params.items() if v is not UNSET and v is not None}

    _kwargs: dict[str, Any] = {
        "method": "GET",
        "path": "/v1/accounts/{account_id}/clio-contacts".format(
            account_id=quote(str(account_id), safe=""),
        ),
        "params": params,
    }
    return Call(parse=_parse, **_kwargs)


def _parse(response: httpx.Response) -> ClioContactPage:
    response_200 = ClioContactPage.from_dict(response.json())

    return response_200
