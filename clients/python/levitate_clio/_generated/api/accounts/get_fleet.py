from typing import Any

import httpx

from levitate_clio._call import Call

from ...models.fleet import Fleet


def build() -> Call[Fleet]:
    """Return the request of `get_fleet`."""

    _kwargs: dict[str, Any] = {
        "method": "GET",
        "path": "/v1/fleet",
    }
    return Call(parse=_parse, **_kwargs)


def _parse(response: httpx.Response) -> Fleet:
    response_200 = Fleet.from_dict(response.json())

    return response_200
