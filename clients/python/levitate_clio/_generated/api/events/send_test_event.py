from typing import Any
from urllib.parse import quote

import httpx

from levitate_clio._call import Call

from ...models.webhook_endpoint_test import WebhookEndpointTest


def build(
    endpoint_id: str,
) -> Call[WebhookEndpointTest]:
    """Return the request of `send_test_event`."""

    _kwargs: dict[str, Any] = {
        "method": "POST",
        "path": "/v1/webhook-endpoints/{endpoint_id}/test".format(
            endpoint_id=quote(str(endpoint_id), safe=""),
        ),
    }
    return Call(parse=_parse, **_kwargs)


def _parse(response: httpx.Response) -> WebhookEndpointTest:
    response_200 = WebhookEndpointTest.from_dict(response.json())

    return response_200
