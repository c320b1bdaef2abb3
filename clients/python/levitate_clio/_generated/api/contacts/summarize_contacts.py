from typing import Any
from urllib.parse import quote

import httpx

from levitate_clio._call import Call

from ...models.contacts_summary import ContactsSummary


def build(
    account_id: str,
) -> Call[ContactsSummary]:
    """Return the request of `summarize_contacts`."""

    _kwargs: dict[str, Any] = {
        "method": "GET",
        "path": "/v1/accounts/{account_id}/contacts/summary".format(
            account_id=quote(str(account_id), safe=""),
        ),
    }
    return Call(parse=_parse, **_kwargs)


def _parse(response: httpx.Response) -> ContactsSummary:
    response_200 = ContactsSummary.from_dict(response.json())

    return response_200
