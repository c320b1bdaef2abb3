import datetime
from typing import Any
from urllib.parse import quote

import httpx

from levitate_clio._call import Call

from ...models.contact import Contact
from ...types import UNSET, Unset


def build(
    account_id: str,
    contact_id: str,
    *,
    as_of: datetime.datetime | Unset = UNSET,
) -> Call[Contact]:
    """Return the request of `get_contact`."""

    params: dict[str, Any] = {}

    json_as_of: str | Unset = UNSET
    if not isinstance(as_of, Unset):
        json_as_of = as_of.isoformat()
    params["as_of"] = json_as_of

    params = {k: v for k, v in params.items() if v is not UNSET and v is not None}

    _kwargs: dict[str, Any] = {
        "method": "GET",
        "path": "/v1/accounts/{account_id}/contacts/{contact_id}".format(
            account_id=quote(str(account_id), safe=""),
            contact_id=quote(str(contact_id), safe=""),
        ),
        "params": params,
    }
    return Call(parse=_parse, **_kwargs)


def _parse(response: httpx.Response) -> Contact:
    response_200 = Contact.from_dict(response.json())

    return response_200
