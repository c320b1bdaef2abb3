"""Who belongs in Levitate: persons who are clients, or represent one, and can be named or written to."""

from app.rules.facts import ContactFacts
from app.rules.verdicts import Basis, Client, Scope

_DETAILS = {
    Basis.FLAG: "Clio flags this person as a client",
    Basis.MATTER: "The person is the client of a matter",
    Basis.COMPANY: "The person represents a company that is a client",
}


def scope(facts: ContactFacts, client: Client | None) -> Scope:
    """Whether the contact is in scope, by which rule, and what keeps it out [CS-1..3, CS-7, DM-10]."""
    contact = facts.contact
    if not contact.is_person:
        return Scope(
            False, "company", "Only individuals are synced, never companies", "not_a_client"
        )
    if client is None:
        return Scope(
            False, "clients", "Neither flagged as a client nor client of a matter", "not_a_client"
        )
    if not _reachable(facts):
        return Scope(
            False,
            "minimum_data",
            "The person has neither a name nor an e-mail address",
            "no_name_or_email",
        )
    return Scope(True, "clients", _DETAILS[client.basis])


def _reachable(facts: ContactFacts) -> bool:
    contact = facts.contact
    names = (contact.name, contact.first_name, contact.last_name)
    addresses = (email.address for email in contact.emails)
    return any(word and word.strip() for word in (*names, *addresses))
