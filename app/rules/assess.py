"""The assessment of one contact: all rules applied in order."""

from app.rules.facts import ContactFacts, FirmFacts
from app.rules.key_facts import key_facts
from app.rules.labels import Tagging
from app.rules.ownership import owner, unmapped_attorneys
from app.rules.removed_contacts import assess_departed
from app.rules.results import Assessment, Client, NotGranted, Refusal, Scope
from app.rules.scope import scope, segment
from app.rules.settings import Settings
from app.rules.subject import Subject, build_subject
from app.rules.tags import tags


def assess(
    facts: ContactFacts, firm: FirmFacts, settings: Settings, previous: str | None = None
) -> Assessment:
    """Return what the rules decide about a contact; `previous` is its owner so far.

    It never raises, also when Clio left fields empty.
    """
    if facts.departed is not None:
        return assess_departed(facts.departed)
    subject = build_subject(facts, firm, settings)
    found = scope(subject)
    if not found.in_scope:
        return _outside(subject, found)
    given = tags(subject)
    unwanted = segment(given.tags, settings.scope.segment)
    if unwanted is not None:
        return _outside(subject, unwanted)
    shown, refused = key_facts(subject)
    client, waits = _new_client(subject, given)
    return Assessment(
        scope=found,
        profile=subject.profile,
        tags=given.tags,
        owner=owner(subject, previous),
        key_facts=shown,
        client=client,
        client_waits=waits,
        not_granted=given.not_granted + refused + unmapped_attorneys(subject),
    )


def _outside(subject: Subject, found: Scope) -> Assessment:
    """Return an assessment with only the reason; an excluded role also counts as not granted [CS-8]."""
    refused = NotGranted("Related Contacts", found.rule, found.detail, Refusal.ROLE_EXCLUDED)
    return Assessment(
        scope=found,
        profile=subject.profile,
        not_granted=(refused,) if found.reason == "role_excluded" else (),
    )


def _new_client(subject: Subject, given: Tagging) -> tuple[Client | None, str | None]:
    """Return what the ledger of new clients may record now, or why it must wait [NC-1, NC-3, row 20].

    The ledger records a client only when the Client tag reaches Levitate.
    """
    client = subject.client
    if client is None:
        return None, None
    if all(grant.rule != "client" for tag in given.tags for grant in tag.grants):
        return (
            None,
            "The Client tag is withheld because all matters behind it have limited permissions",
        )
    if subject.settings.new_client.require_open_matter and not client.has_open_matter:
        return None, "There is no open matter yet, and the settings require one"
    return client, None
