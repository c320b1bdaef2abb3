from typing import Any

import httpx

from levitate_clio._call import Call

from ...models.console_link import ConsoleLink
from ...models.console_link_in import ConsoleLinkIn


def build(
    *,
    body: ConsoleLinkIn,
) -> Call[ConsoleLink]:
    """Return the request of `create_console_link`."""
    headers: dict[str, Any] = {}

    _kwargs: dict[str, Any] = {
        "method": "POST",
        "path": "/v1/console-links",
    }
    _kwargs["json"] = body.to_dict()

    headers["Content-Type"] = "application/json"
    _kwargs["headers"] = headers
    return Call(parse=_parse, **_kwargs)


def _parse(response: httpx.Response) -> ConsoleLink:
    response_201 = ConsoleLink.from_dict(response.json())

    return response_201
