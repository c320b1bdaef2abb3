from typing import Any
from urllib.parse import quote

import httpx

from levitate_clio._call import Call

from ...models.get_run_report_format import GetRunReportFormat
from ...models.run_report import RunReport
from ...types import UNSET, Unset


def build(
    account_id: str,
    run_id: str,
    *,
    format_: GetRunReportFormat | Unset = UNSET,
) -> Call[RunReport]:
    """Return the request of `get_run_report`."""

    params: dict[str, Any] = {}

    json_format_: str | Unset = UNSET
    if not isinstance(format_, Unset):
        json_format_ = format_

    params["format"] = json_format_

    params = {k: v for k, v in params.items() if v is not UNSET and v is not None}

    _kwargs: dict[str, Any] = {
        "method": "GET",
        "path": "/v1/accounts/{account_id}/runs/{run_id}/report".format(
            account_id=quote(str(account_id), safe=""),
            run_id=quote(str(run_id), safe=""),
        ),
        "params": params,
    }
    return Call(parse=_parse, **_kwargs)


def _parse(response: httpx.Response) -> RunReport:
    response_200 = RunReport.from_dict(response.json())

    return response_200
