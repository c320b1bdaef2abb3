from typing import Any
from urllib.parse import quote

import httpx

from levitate_clio._call import Call

from ...models.decided_new_clients import DecidedNewClients
from ...models.many_new_clients import ManyNewClients
from ...types import UNSET, Unset


def build(
    account_id: str,
    *,
    body: ManyNewClients,
    idempotency_key: str | Unset = UNSET,
) -> Call[DecidedNewClients]:
    """Return the request of `decide_new_clients`."""
    headers: dict[str, Any] = {}
    if not isinstance(idempotency_key, Unset):
        headers["Idempotency-Key"] = idempotency_key

    _kwargs: dict[str, Any] = {
        "method": "POST",
        "path": "/v1/accounts/{account_id}/new-clients/decisions".format(
            account_id=quote(str(account_id), safe=""),
        ),
        "takes_key": True,
    }
    _kwargs["json"] = body.to_dict()

    headers["Content-Type"] = "application/json"
    _kwargs["headers"] = headers
    return Call(parse=_parse, **_kwargs)


def _parse(response: httpx.Response) -> DecidedNewClients:
    response_200 = DecidedNewClients.from_dict(response.json())

    return response_200
