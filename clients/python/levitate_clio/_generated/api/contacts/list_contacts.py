import datetime
from typing import Any
from urllib.parse import quote

import httpx

from levitate_clio._call import Call

from ...models.contact_page import ContactPage
from ...models.list_contacts_order import ListContactsOrder
from ...models.list_contacts_problem import ListContactsProblem
from ...models.list_contacts_state import ListContactsState
from ...types import UNSET, Unset


def build(
    account_id: str,
    *,
    state: ListContactsState | Unset = UNSET,
    owner: str | Unset = UNSET,
    tag: list[str] | Unset = UNSET,
    clio_id: str | Unset = UNSET,
    q: str | Unset = UNSET,
    updated_since: datetime.datetime | Unset = UNSET,
    problem: ListContactsProblem | Unset = UNSET,
    order: ListContactsOrder | Unset = UNSET,
    since: datetime.datetime | Unset = UNSET,
    until: datetime.datetime | Unset = UNSET,
    count: bool | Unset = UNSET,
    cursor: str | Unset = UNSET,
    limit: int | Unset = UNSET,
) -> Call[ContactPage]:
    """Return the request of `list_contacts`."""

    params: dict[str, Any] = {}

    json_state: str | Unset = UNSET
    if not isinstance(state, Unset):
        json_state = state

    params["state"] = json_state

    params["owner"] = owner

    json_tag: list[str] | Unset = UNSET
    if not isinstance(tag, Unset):
        json_tag = tag

    params["tag"] = json_tag

    params["clio_id"] = clio_id

    params["q"] = q

    json_updated_since: str | Unset = UNSET
    if not isinstance(updated_since, Unset):
        json_updated_since = updated_since.isoformat()
    params["updated_since"] = json_updated_since

    json_problem: str | Unset = UNSET
    if not isinstance(problem, Unset):
        json_problem = problem

    params["problem"] = json_problem

    json_order: str | Unset = UNSET
    if not isinstance(order, Unset):
        json_order = order

    params["order"] = json_order

    json_since: str | Unset = UNSET
    if not isinstance(since, Unset):
        json_since = since.isoformat()
    params["since"] = json_since

    json_until: str | Unset = UNSET
    if not isinstance(until, Unset):
        json_until = until.isoformat()
    params["until"] = json_until

    params["count"] = count

    params["cursor"] = cursor

    params["limit"] = limit

    params = {k: v for k, v in params.items() if v is not UNSET and v is not None}

    _kwargs: dict[str, Any] = {
        "method": "GET",
        "path": "/v1/accounts/{account_id}/contacts".format(
            account_id=quote(str(account_id), safe=""),
        ),
        "params": params,
    }
    return Call(parse=_parse, **_kwargs)


def _parse(response: httpx.Response) -> ContactPage:
    response_200 = ContactPage.from_dict(response.json())

    return response_200
