from typing import Any
from urllib.parse import quote

import httpx

from levitate_clio._call import Call

from ...models.explained import Explained


def build(
    account_id: str,
    contact_id: str,
) -> Call[Explained]:
    """Return the request of `explain_contact`."""

    _kwargs: dict[str, Any] = {
        "method": "GET",
        "path": "/v1/accounts/{account_id}/contacts/{contact_id}/explain".format(
            account_id=quote(str(account_id), safe=""),
            contact_id=quote(str(contact_id), safe=""),
        ),
    }
    return Call(parse=_parse, **_kwargs)


def _parse(response: httpx.Response) -> Explained:
    response_200 = Explained.from_dict(response.json())

    return response_200
