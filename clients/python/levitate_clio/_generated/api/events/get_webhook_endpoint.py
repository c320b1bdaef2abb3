from typing import Any
from urllib.parse import quote

import httpx

from levitate_clio._call import Call

from ...models.webhook_endpoint import WebhookEndpoint


def build(
    endpoint_id: str,
) -> Call[WebhookEndpoint]:
    """Return the request of `get_webhook_endpoint`."""

    _kwargs: dict[str, Any] = {
        "method": "GET",
        "path": "/v1/webhook-endpoints/{endpoint_id}".format(
            endpoint_id=quote(str(endpoint_id), safe=""),
        ),
    }
    return Call(parse=_parse, **_kwargs)


def _parse(response: httpx.Response) -> WebhookEndpoint:
    response_200 = WebhookEndpoint.from_dict(response.json())

    return response_200
