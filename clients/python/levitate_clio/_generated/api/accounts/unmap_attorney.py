from typing import Any
from urllib.parse import quote

import httpx

from levitate_clio._call import Call


def build(
    account_id: str,
    clio_user_id: str,
) -> Call[None]:
    """Return the request of `unmap_attorney`."""

    _kwargs: dict[str, Any] = {
        "method": "DELETE",
        "path": "/v1/accounts/{account_id}/attorneys/{clio_user_id}".format(
            account_id=quote(str(account_id), safe=""),
            clio_user_id=quote(str(clio_user_id), safe=""),
        ),
    }
    return Call(parse=_parse, **_kwargs)


def _parse(response: httpx.Response) -> None:
    return None
