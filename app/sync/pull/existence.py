"""Ask Clio whether contacts exist, outside of a pull: a new client may have taken another one's place [S6, row 46]."""

from collections.abc import Sequence

from app.clio.call_budget import CallBudget
from app.clio.client import ClioClient
from app.clio.errors import ClioReauthRequired, ClioRefused, ClioUnreadable
from app.db.connections import connections
from app.db.runs import leases
from app.db.runs.leases import Lease, fenced_transaction
from app.db.runs.runs import Run
from app.sync.connections import clio_for
from app.sync.pull.listings import CONTACTS
from app.sync.pull.reader import usage_of
from app.sync.services import Services


async def find_first_gone(
    services: Services, lease: Lease, run: Run, budget: CallBudget, clio_ids: Sequence[int]
) -> int | None:
    """Return the first of these contacts of which Clio proves that it is gone, or None.

    Only the 404 for a login that sees the whole firm proves it [row 32]. Without such a login nothing is asked. Raises
    ClioReauthRequired if none of them works any more, BudgetSpent, and other errors of Clio.
    """
    async with fenced_transaction(services.database, lease) as session:
        working = await connections.list_connected(session, lease.account_id)
    refused: ClioReauthRequired | None = None
    for login in (one for one in working if one.login is not None and one.login.full_view):
        clio = clio_for(services, login, run.lane, budget)
        try:
            return await _find_first_gone(clio, clio_ids)
        except ClioReauthRequired as error:
            refused = error
        finally:
            async with fenced_transaction(services.database, lease) as session:
                await leases.count_usage(session, lease, usage_of(clio))
    if refused is not None:
        raise refused
    return None


async def _find_first_gone(clio: ClioClient, clio_ids: Sequence[int]) -> int | None:
    shown: set[int | None] = set()
    if len(clio_ids) > 1:
        page = await clio.get_many(CONTACTS.resource, clio_ids)
        shown = {record.id for record in page.items} | {bad.clio_id for bad in page.unreadable}
    for clio_id in clio_ids:
        if clio_id not in shown and await _is_gone(clio, clio_id):
            return clio_id
    return None


async def _is_gone(clio: ClioClient, clio_id: int) -> bool:
    try:
        await clio.get_one(CONTACTS.resource, clio_id)
    except ClioUnreadable:
        return False
    except ClioRefused as refusal:
        return refusal.code == "clio_not_found"
    return False
