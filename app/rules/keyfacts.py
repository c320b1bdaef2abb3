"""Key facts: short labelled values shown beside a contact."""

from collections.abc import Iterator

from app.rules.facts import ContactFacts
from app.rules.verdicts import KeyFact


def key_facts(facts: ContactFacts) -> tuple[KeyFact, ...]:
    """Birthday, then Clio id [KF-1, KF-3, §15 row 17]."""
    return tuple(_key_facts(facts))


def _key_facts(facts: ContactFacts) -> Iterator[KeyFact]:
    born = facts.contact.date_of_birth
    if born is not None:
        yield KeyFact("birthday", "Birthday", born.isoformat())
    yield KeyFact("clio_id", "Clio ID", str(facts.contact.clio_id))
