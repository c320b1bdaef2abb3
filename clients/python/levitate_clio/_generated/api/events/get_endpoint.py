from typing import Any
from urllib.parse import quote

import httpx

from levitate_clio._call import Call

from ...models.endpoint import Endpoint


def build(
    endpoint_id: str,
) -> Call[Endpoint]:
    """Return the request of `get_endpoint`."""

    _kwargs: dict[str, Any] = {
        "method": "GET",
        "path": "/v1/webhook-endpoints/{endpoint_id}".format(
            endpoint_id=quote(str(endpoint_id), safe=""),
        ),
    }
    return Call(parse=_parse, **_kwargs)


def _parse(response: httpx.Response) -> Endpoint:
    response_200 = Endpoint.from_dict(response.json())

    return response_200
