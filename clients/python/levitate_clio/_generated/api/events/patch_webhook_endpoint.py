from typing import Any
from urllib.parse import quote

import httpx

from levitate_clio._call import Call

from ...models.webhook_endpoint import WebhookEndpoint
from ...models.webhook_endpoint_patch import WebhookEndpointPatch


def build(
    endpoint_id: str,
    *,
    body: WebhookEndpointPatch,
) -> Call[WebhookEndpoint]:
    """Return the request of `patch_webhook_endpoint`."""
    headers: dict[str, Any] = {}

    _kwargs: dict[str, Any] = {
        "method": "PATCH",
        "path": "/v1/webhook-endpoints/{endpoint_id}".format(
            endpoint_id=quote(str(endpoint_id), safe=""),
        ),
    }
    _kwargs["json"] = body.to_dict()

    headers["Content-Type"] = "application/json"
    _kwargs["headers"] = headers
    return Call(parse=_parse, **_kwargs)


def _parse(response: httpx.Response) -> WebhookEndpoint:
    response_200 = WebhookEndpoint.from_dict(response.json())

    return response_200
