from typing import Any
from urllib.parse import quote

import httpx

from levitate_clio._call import Call

from ...models.settings_version import SettingsVersion


def build(
    account_id: str,
) -> Call[SettingsVersion]:
    """Return the request of `get_settings`."""

    _kwargs: dict[str, Any] = {
        "method": "GET",
        "path": "/v1/accounts/{account_id}/settings".format(
            account_id=quote(str(account_id), safe=""),
        ),
    }
    return Call(parse=_parse, **_kwargs)


def _parse(response: httpx.Response) -> SettingsVersion:
    response_200 = SettingsVersion.from_dict(response.json())

    return response_200
