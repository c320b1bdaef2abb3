"""The judgement of one contact: all rules, put together."""

from app.rules.client import client_of
from app.rules.facts import ContactFacts, FirmFacts
from app.rules.gone import gone
from app.rules.keyfacts import key_facts
from app.rules.ownership import owner
from app.rules.profile import profile
from app.rules.scope import scope
from app.rules.settings import Settings
from app.rules.tags import tags
from app.rules.verdicts import Assessment


def assess(facts: ContactFacts, firm: FirmFacts, settings: Settings) -> Assessment:
    """What the rules say of a contact. Never raises, whatever Clio left out."""
    if facts.gone is not None:
        return gone(facts.gone)
    client = client_of(facts)
    found = scope(facts, client)
    mapped = profile(facts, firm.country)
    if not found.in_scope:
        return Assessment(found, mapped)
    return Assessment(
        scope=found,
        profile=mapped,
        tags=tags(facts, settings),
        owner=owner(facts, firm, settings),
        key_facts=key_facts(facts),
        client=client,
    )
