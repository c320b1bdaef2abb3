from typing import Any

import httpx

from levitate_clio._call import Call

from ...models.endpoint_in import EndpointIn
from ...models.endpoint_with_secret import EndpointWithSecret


def build(
    *,
    body: EndpointIn,
) -> Call[EndpointWithSecret]:
    """Return the request of `add_endpoint`."""
    headers: dict[str, Any] = {}

    _kwargs: dict[str, Any] = {
        "method": "POST",
        "path": "/v1/webhook-endpoints",
    }
    _kwargs["json"] = body.to_dict()

    headers["Content-Type"] = "application/json"
    _kwargs["headers"] = headers
    return Call(parse=_parse, **_kwargs)


def _parse(response: httpx.Response) -> EndpointWithSecret:
    response_201 = EndpointWithSecret.from_dict(response.json())

    return response_201
