from typing import Any
from urllib.parse import quote

import httpx

from levitate_clio._call import Call

from ...models.webhook_endpoint_with_secret import WebhookEndpointWithSecret


def build(
    endpoint_id: str,
) -> Call[WebhookEndpointWithSecret]:
    """Return the request of `rotate_webhook_secret`."""

    _kwargs: dict[str, Any] = {
        "method": "POST",
        "path": "/v1/webhook-endpoints/{endpoint_id}/rotate".format(
            endpoint_id=quote(str(endpoint_id), safe=""),
        ),
    }
    return Call(parse=_parse, **_kwargs)


def _parse(response: httpx.Response) -> WebhookEndpointWithSecret:
    response_200 = WebhookEndpointWithSecret.from_dict(response.json())

    return response_200
