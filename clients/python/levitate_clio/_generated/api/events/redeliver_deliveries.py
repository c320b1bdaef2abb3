from typing import Any
from urllib.parse import quote

import httpx

from levitate_clio._call import Call

from ...models.redelivery_in import RedeliveryIn


def build(
    endpoint_id: str,
    *,
    body: RedeliveryIn,
) -> Call[None]:
    """Return the request of `redeliver_deliveries`."""
    headers: dict[str, Any] = {}

    _kwargs: dict[str, Any] = {
        "method": "POST",
        "path": "/v1/webhook-endpoints/{endpoint_id}/redeliver".format(
            endpoint_id=quote(str(endpoint_id), safe=""),
        ),
    }
    _kwargs["json"] = body.to_dict()

    headers["Content-Type"] = "application/json"
    _kwargs["headers"] = headers
    return Call(parse=_parse, **_kwargs)


def _parse(response: httpx.Response) -> None:
    return None
