from typing import Any
from urllib.parse import quote

import httpx

from levitate_clio._call import Call

from ...models.delivery import Delivery


def build(
    delivery_id: str,
) -> Call[Delivery]:
    """Return the request of `redeliver_delivery`."""

    _kwargs: dict[str, Any] = {
        "method": "POST",
        "path": "/v1/deliveries/{delivery_id}/redeliver".format(
            delivery_id=quote(str(delivery_id), safe=""),
        ),
    }
    return Call(parse=_parse, **_kwargs)


def _parse(response: httpx.Response) -> Delivery:
    response_202 = Delivery.from_dict(response.json())

    return response_202
