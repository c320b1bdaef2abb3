"""The decision of the rules about one contact of Clio, whether Levitate has it or not, and what would change it."""

from collections.abc import Sequence
from dataclasses import dataclass

from app import rules
from app.db.accounts import settings
from app.db.connections import connections
from app.db.contacts import contacts, visible_contacts
from app.db.contacts.visible_contacts import Asked
from app.db.mirror import rule_inputs
from app.db.mirror.audience import Audience
from app.db.session import Session
from app.errors import AppError
from app.rules.results import Assessment
from app.rules.visible_parts import visible_assessment
from app.rules.would_need import Need, would_need
from app.sync.assess.contact_assessments import load_context
from app.sync.services import Services


class NotPulled(AppError):
    """No login has shown this record of Clio."""

    status = 404
    code = "not_pulled"
    title = "No connected login has shown this contact"
    next_step = "add look=true to ask Clio for it, or connect a user who sees it in Clio"


@dataclass(frozen=True)
class ClioDecision:
    """What the rules decide now about a contact of Clio, by the records that were pulled and the present settings."""

    assessment: Assessment
    needs: tuple[Need, ...]


async def decide_clio_contact(
    services: Services, session: Session, account_id: str, clio_id: int, audience: Audience
) -> ClioDecision:
    """Return the decision about a contact, as the audience may be shown it; raises NotPulled.

    What would bring the person into scope is only told to those who see all that the decision comes from.
    """
    found = await decide_clio_contacts(services, session, account_id, [clio_id], audience)
    if clio_id not in found:
        raise NotPulled(await describe_logins(session, account_id))
    return found[clio_id]


async def decide_clio_contacts(
    services: Services,
    session: Session,
    account_id: str,
    clio_ids: Sequence[int],
    audience: Audience,
) -> dict[int, ClioDecision]:
    """Return the decision about each of these contacts that were pulled and that the audience sees, by Clio id."""
    if not clio_ids:
        return {}
    chosen = await settings.get_current(session, account_id)
    context = await load_context(session, services, account_id, chosen.settings)
    people = await rule_inputs.load_facts(session, account_id, context.spelling, clio_ids)
    owners = await contacts.find_owner_ids(session, account_id, clio_ids)
    found = {}
    for facts in people:
        clio_id = facts.contact.clio_id
        owner_id = owners.get(clio_id)
        assessment = rules.assess(facts, context.firm, context.settings, owner_id)
        needs = would_need(facts, context.firm, context.settings)
        found[clio_id] = ClioDecision(assessment, needs)
    if audience.login is None:
        return found
    asked = Asked({key: one.assessment for key, one in found.items()}, explain=True)
    seen = await visible_contacts.load_seen(session, account_id, audience, asked)
    return {
        key: ClioDecision(
            visible_assessment(one.assessment, seen[key]), one.needs if seen[key].whole else ()
        )
        for key, one in found.items()
        if key in seen
    }


async def describe_logins(session: Session, account_id: str) -> str:
    """Return which logins were asked for contacts, and when, for people."""
    logins = [one for one in await connections.list_all(session, account_id) if one.login]
    if not logins:
        return "No login is connected to Clio yet, so that no contact was pulled; connect a user"
    pulls = ", ".join(
        f"{one.user_id} ({one.last_sync_at:%Y-%m-%d %H:%M} UTC)"
        if one.last_sync_at
        else f"{one.user_id} (not yet)"
        for one in logins
    )
    return (
        "No connected login has shown this contact. The logins and the times of their last pull:"
        f" {pulls}. Add look=true to ask Clio for it, or connect a user who sees it in Clio"
    )
