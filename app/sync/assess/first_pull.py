"""Publishes contacts while the first pull of a firm goes on [IS-2].

What a login has read completely is published as its contacts land. Until the run ends, what was published only grows:
tags and key facts are added, the status tag may move up, and the owner may move to a later matter
(`app/rules/set_aside.py`). What later facts would take away is decided when everything has been read, with the shrink
guard (`assess.py`). Reading Clio is not here.
"""

from collections.abc import Collection
from dataclasses import replace
from math import log

from app.db.accounts import settings
from app.db.contacts import erasures
from app.db.mirror import changed_items, first_pull, rule_inputs
from app.db.runs import leases
from app.db.runs.leases import Lease
from app.db.runs.runs import Run
from app.db.session import Session
from app.sync.assess.assess import publish_batch
from app.sync.assess.contact_assessments import BATCH_SIZE, AssessmentContext, load_context
from app.sync.services import Services

GROWTH = 1.25  # the walk begins again when so many times the pages have landed, or a list has been read to its end
STEPS = 1000  # more than such steps of growth

_WALK, _ROUND = "first_pull/after", "first_pull/round"


class FirstPullPublisher:
    """Publishes, batch by batch, the contacts that the logins that are ready have read.

    It walks along the stale contacts by id. At the end it begins again when much was read meanwhile: those whose
    company was missing, and those about whom another login has brought something new.
    """

    def __init__(self, services: Services, lease: Lease, run: Run) -> None:
        self._services = services
        self._lease = lease
        self._run = run
        self._context: AssessmentContext | None = None

    async def __call__(self, session: Session, ready: Collection[str]) -> bool:
        """Publish the next contacts that these logins have read; return False when none is left for now."""
        lease, account_id = self._lease, self._lease.account_id
        after = await leases.find_position(session, lease, _WALK) or 0
        walked = await first_pull.list_stale(session, account_id, after=after, limit=BATCH_SIZE)
        if not walked:
            return await self._begins_again(session, after)
        if not after:
            await changed_items.forget_before_first_assessment(session, account_id)
        await leases.store_position(session, lease, _WALK, walked[-1])
        complete = await first_pull.find_complete(session, account_id, walked, ready)
        if complete:
            await self._publish_these(session, complete)
        return True

    async def _publish_these(self, session: Session, clio_ids: Collection[int]) -> None:
        lease, account_id = self._lease, self._lease.account_id
        await erasures.lock_shared(session, account_id)
        context = await self._load_context(session)
        people = await rule_inputs.load_facts(
            session, account_id, context.spelling, clio_ids, lock=True
        )
        batch = await publish_batch(session, lease, context, self._run.kind, people)
        await leases.record_assessed(session, lease, batch, now=context.now)

    async def _load_context(self, session: Session) -> AssessmentContext:
        """Return the context of all batches of the slice, with the present time."""
        if self._context is None:
            account_id, run = self._lease.account_id, self._run
            chosen = await settings.get_version(session, account_id, run.settings_version)
            loaded = await load_context(session, self._services, account_id, chosen)
            self._context = replace(loaded, run_id=run.run_id, cause="sync", only_adds=True)
        return replace(self._context, now=self._services.now())

    async def _begins_again(self, session: Session, after: int) -> bool:
        """Begin the walk again if much was read since it began; return whether it does."""
        read = await first_pull.how_far(session, self._lease)
        this_round = STEPS * read.complete + int(log(read.pages + 1, GROWTH))
        last = await leases.find_position(session, self._lease, _ROUND)
        if not after or this_round == last:
            return False
        await leases.store_position(session, self._lease, _WALK, 0)
        await leases.store_position(session, self._lease, _ROUND, this_round)
        return True
