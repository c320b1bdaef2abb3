from typing import Any
from urllib.parse import quote

import httpx

from levitate_clio._call import Call

from ...models.issue import Issue


def build(
    account_id: str,
    issue_id: str,
) -> Call[Issue]:
    """Return the request of `resolve_issue`."""

    _kwargs: dict[str, Any] = {
        "method": "POST",
        "path": "/v1/accounts/{account_id}/issues/{issue_id}/resolve".format(
            account_id=quote(str(account_id), safe=""),
            issue_id=quote(str(issue_id), safe=""),
        ),
    }
    return Call(parse=_parse, **_kwargs)


def _parse(response: httpx.Response) -> Issue:
    response_200 = Issue.from_dict(response.json())

    return response_200
