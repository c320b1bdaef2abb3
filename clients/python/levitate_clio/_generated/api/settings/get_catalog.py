from typing import Any
from urllib.parse import quote

import httpx

from levitate_clio._call import Call

from ...models.catalog import Catalog


def build(
    account_id: str,
) -> Call[Catalog]:
    """Return the request of `get_catalog`."""

    _kwargs: dict[str, Any] = {
        "method": "GET",
        "path": "/v1/accounts/{account_id}/catalog".format(
            account_id=quote(str(account_id), safe=""),
        ),
    }
    return Call(parse=_parse, **_kwargs)


def _parse(response: httpx.Response) -> Catalog:
    response_200 = Catalog.from_dict(response.json())

    return response_200
