"""The summary of an account's contacts: how many there are of each state, tag and owner."""

import asyncio

from fastapi import APIRouter

from app.api import schemas
from app.api.account_access import AccountWithoutSession
from app.api.audience import AudienceBeforehand
from app.api.deps import ServicesDep
from app.db.contacts import contact_counts
from app.db.contacts.contact_counts import ContactCounts
from app.db.session import transaction

router = APIRouter(
    prefix="/v1/accounts/{account_id}",
    tags=["contacts"],
)

MOST_LISTED = 1000  # tags, or owners, in the response
MOST_SECONDS = 15


@router.get("/contacts/summary")
async def summarize_contacts(
    account: AccountWithoutSession, audience: AudienceBeforehand, services: ServicesDep
) -> schemas.ContactsSummary:
    """Return how many contacts there are in each state, with each tag, and of each owner.

    The contacts are counted in steps, so one that changes meanwhile may be counted as it was before.
    """
    counts, began = ContactCounts(), asyncio.get_running_loop().time()
    while counts.after is not None:
        if asyncio.get_running_loop().time() - began > MOST_SECONDS:
            break
        async with transaction(services.database, account.account_id) as session:
            await contact_counts.count_next(session, account.account_id, audience, counts)
    return schemas.ContactsSummary(
        total=counts.by_state.total(),
        complete=counts.after is None and counts.has_all_tags,
        by_state=[
            schemas.StateCount(state=state, n=n) for state, n in counts.by_state.most_common()
        ],
        by_tag=[
            schemas.TagCount(label=label, category=category, n=n)
            for (label, category), n in counts.by_tag.most_common(MOST_LISTED)
        ],
        by_owner=[
            schemas.OwnerCount(user_id=user_id, n=n)
            for user_id, n in counts.by_owner.most_common(MOST_LISTED)
        ],
        by_owner_rule=[
            schemas.OwnerRuleCount(rule=rule, n=n) for rule, n in counts.by_owner_rule.most_common()
        ],
    )
