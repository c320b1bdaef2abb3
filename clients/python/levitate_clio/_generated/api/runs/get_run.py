from typing import Any
from urllib.parse import quote

import httpx

from levitate_clio._call import Call

from ...models.run import Run


def build(
    account_id: str,
    run_id: str,
) -> Call[Run]:
    """Return the request of `get_run`."""

    _kwargs: dict[str, Any] = {
        "method": "GET",
        "path": "/v1/accounts/{account_id}/runs/{run_id}".format(
            account_id=quote(str(account_id), safe=""),
            run_id=quote(str(run_id), safe=""),
        ),
    }
    return Call(parse=_parse, **_kwargs)


def _parse(response: httpx.Response) -> Run:
    response_200 = Run.from_dict(response.json())

    return response_200
