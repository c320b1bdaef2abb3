"""The lane of housekeeping: a key is a task and its subject, for example `erasure:acct_1` or `retention:events`."""

from collections.abc import Awaitable, Callable, Mapping

from app.lanes import (
    DEAUTHORISATION,
    ENDPOINT_DELETION,
    ERASURE,
    REDELIVERY,
    RETENTION,
    SUBSCRIPTIONS,
)
from app.sync.account_erasure import erase_account
from app.sync.connections import renew_subscriptions, tell_clio_what_is_due
from app.sync.deleted_endpoints import delete_endpoint_rows
from app.sync.redeliveries import redeliver_some
from app.sync.retention import sweep_retention
from app.sync.services import Services
from app.sync.slices import Ending

_TASKS: Mapping[str, Callable[[Services, str], Awaitable[Ending]]] = {
    ERASURE: erase_account,
    RETENTION: sweep_retention,
    DEAUTHORISATION: tell_clio_what_is_due,
    SUBSCRIPTIONS: renew_subscriptions,
    ENDPOINT_DELETION: delete_endpoint_rows,
    REDELIVERY: redeliver_some,
}


async def keep_house(services: Services, key: str) -> Ending:
    """Do one slice of a task."""
    task, _, subject = key.partition(":")
    return await _TASKS[task](services, subject)
