from typing import Any
from urllib.parse import quote

import httpx

from levitate_clio._call import Call


def build(
    account_id: str,
    contact_id: str,
) -> Call[None]:
    """Return the request of `delete_contact`."""

    _kwargs: dict[str, Any] = {
        "method": "DELETE",
        "path": "/v1/accounts/{account_id}/contacts/{contact_id}".format(
            account_id=quote(str(account_id), safe=""),
            contact_id=quote(str(contact_id), safe=""),
        ),
    }
    return Call(parse=_parse, **_kwargs)


def _parse(response: httpx.Response) -> None:
    return None
