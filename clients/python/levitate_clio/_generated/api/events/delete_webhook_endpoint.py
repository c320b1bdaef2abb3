from typing import Any
from urllib.parse import quote

import httpx

from levitate_clio._call import Call


def build(
    endpoint_id: str,
) -> Call[None]:
    """Return the request of `delete_webhook_endpoint`."""

    _kwargs: dict[str, Any] = {
        "method": "DELETE",
        "path": "/v1/webhook-endpoints/{endpoint_id}".format(
            endpoint_id=quote(str(endpoint_id), safe=""),
        ),
    }
    return Call(parse=_parse, **_kwargs)


def _parse(response: httpx.Response) -> None:
    return None
