from typing import Any

import httpx

from levitate_clio._call import Call

from ...models.webhook_endpoint_in import WebhookEndpointIn
from ...models.webhook_endpoint_with_secret import WebhookEndpointWithSecret


def build(
    *,
    body: WebhookEndpointIn,
) -> Call[WebhookEndpointWithSecret]:
    """Return the request of `create_webhook_endpoint`."""
    headers: dict[str, Any] = {}

    _kwargs: dict[str, Any] = {
        "method": "POST",
        "path": "/v1/webhook-endpoints",
    }
    _kwargs["json"] = body.to_dict()

    headers["Content-Type"] = "application/json"
    _kwargs["headers"] = headers
    return Call(parse=_parse, **_kwargs)


def _parse(response: httpx.Response) -> WebhookEndpointWithSecret:
    response_201 = WebhookEndpointWithSecret.from_dict(response.json())

    return response_201
