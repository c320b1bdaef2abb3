"""The first steps of a rederive run: the words of the firm's contacts, if they are due, then everybody is stale."""

from app.clio.call_budget import CallBudget
from app.db.accounts import upgrades
from app.db.contacts import published_words
from app.db.mirror import search_words, staleness
from app.db.runs.leases import Lease, fenced_transaction
from app.db.runs.runs import Run, Trigger
from app.db.session import Session
from app.rules import version
from app.sync.batches import do_in_batches
from app.sync.services import Services

MARKED_AT_ONCE = 5000  # contacts that one transaction marks stale
WORDS_AT_ONCE = 500  # contacts whose words one transaction makes


async def mark_everybody(services: Services, lease: Lease, run: Run, budget: CallBudget) -> None:
    """Mark the firm's contacts stale, because the rules or their other input changed.

    First their words are made again if the country has changed, to which phone numbers belong. Those of contacts that
    an earlier release has read are made in an upgrade, when that release has ended.
    """
    async with fenced_transaction(services.database, lease) as session:
        country = await search_words.load_country(session, lease.account_id)
        made_for = await upgrades.find_words_made_for(session, lease.account_id)
    wanted = upgrades.words_for(country)
    if made_for != wanted and (made_for is not None or run.trigger is Trigger.UPGRADE):
        await _make_words(services, lease, budget, country)
    await _mark_stale(services, lease, run, budget)


async def _make_words(services: Services, lease: Lease, budget: CallBudget, country: str) -> None:
    async def fill(session: Session, after: int) -> int | None:
        last = await published_words.fill(
            session, lease.account_id, country, after=after, limit=WORDS_AT_ONCE
        )
        if last is None:
            await upgrades.mark_words_made(session, lease.account_id, country)
        return last

    await do_in_batches(services, lease, budget, f"words/{country}", fill)


async def _mark_stale(services: Services, lease: Lease, run: Run, budget: CallBudget) -> None:
    below = version.VERSION if run.trigger is Trigger.UPGRADE else None

    async def mark(session: Session, after: int) -> int | None:
        return await staleness.mark_all_stale(
            session, lease.account_id, after=after, limit=MARKED_AT_ONCE, below=below
        )

    await do_in_batches(services, lease, budget, "stale", mark)
