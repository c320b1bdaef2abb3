from typing import Any
from urllib.parse import quote

import httpx

from levitate_clio._call import Call

from ...models.explained_clio_contact import ExplainedClioContact
from ...types import UNSET, Unset


def build(
    account_id: str,
    clio_id: str,
    *,
    look: bool | Unset = UNSET,
) -> Call[ExplainedClioContact]:
    """Return the request of `explain_clio_contact`."""

    params: dict[str, Any] = {}

    params["look"] = look

    params = {k: v for k, v in params.items() if v is not UNSET and v is not None}

    _kwargs: dict[str, Any] = {
        "method": "GET",
        "path": "/v1/accounts/{account_id}/clio-contacts/{clio_id}".format(
            account_id=quote(str(account_id), safe=""),
            clio_id=quote(str(clio_id), safe=""),
        ),
        "params": params,
    }
    return Call(parse=_parse, **_kwargs)


def _parse(response: httpx.Response) -> ExplainedClioContact:
    response_200 = ExplainedClioContact.from_dict(response.json())

    return response_200
