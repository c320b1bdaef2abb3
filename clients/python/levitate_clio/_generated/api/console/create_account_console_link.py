from typing import Any
from urllib.parse import quote

import httpx

from levitate_clio._call import Call

from ...models.account_console_link_in import AccountConsoleLinkIn
from ...models.console_link import ConsoleLink


def build(
    account_id: str,
    *,
    body: AccountConsoleLinkIn,
) -> Call[ConsoleLink]:
    """Return the request of `create_account_console_link`."""
    headers: dict[str, Any] = {}

    _kwargs: dict[str, Any] = {
        "method": "POST",
        "path": "/v1/accounts/{account_id}/console-links".format(
            account_id=quote(str(account_id), safe=""),
        ),
    }
    _kwargs["json"] = body.to_dict()

    headers["Content-Type"] = "application/json"
    _kwargs["headers"] = headers
    return Call(parse=_parse, **_kwargs)


def _parse(response: httpx.Response) -> ConsoleLink:
    response_201 = ConsoleLink.from_dict(response.json())

    return response_201
