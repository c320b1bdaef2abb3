from typing import Any
from urllib.parse import quote

import httpx

from levitate_clio._call import Call

from ...models.erasure import Erasure


def build(
    erasure_id: str,
) -> Call[Erasure]:
    """Return the request of `get_erasure`."""

    _kwargs: dict[str, Any] = {
        "method": "GET",
        "path": "/v1/erasures/{erasure_id}".format(
            erasure_id=quote(str(erasure_id), safe=""),
        ),
    }
    return Call(parse=_parse, **_kwargs)


def _parse(response: httpx.Response) -> Erasure:
    response_200 = Erasure.from_dict(response.json())

    return response_200
