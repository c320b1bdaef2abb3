from typing import Any
from urllib.parse import quote

import httpx

from levitate_clio._call import Call

from ...models.endpoint_test import EndpointTest


def build(
    endpoint_id: str,
) -> Call[EndpointTest]:
    """Return the request of `test_endpoint`."""

    _kwargs: dict[str, Any] = {
        "method": "POST",
        "path": "/v1/webhook-endpoints/{endpoint_id}/test".format(
            endpoint_id=quote(str(endpoint_id), safe=""),
        ),
    }
    return Call(parse=_parse, **_kwargs)


def _parse(response: httpx.Response) -> EndpointTest:
    response_200 = EndpointTest.from_dict(response.json())

    return response_200
