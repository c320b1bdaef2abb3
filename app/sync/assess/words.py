"""The words by which a batch of published people is found; those of the records were stored where these landed."""

from collections.abc import Sequence

from app.db.contacts import published_words
from app.db.contacts.published_words import PublishedPerson
from app.db.session import Session
from app.rules.facts import ContactFacts
from app.rules.results import State
from app.sync.assess.contact_assessments import AssessedContact, AssessmentContext


async def update_words(
    session: Session,
    account_id: str,
    context: AssessmentContext,
    published: Sequence[AssessedContact],
    stale: Sequence[ContactFacts],
) -> None:
    """Update the words of those whose tags have changed, or whose profile may differ from their record."""
    records_by_id = {person.contact.clio_id: person.contact for person in stale}
    people = [
        PublishedPerson(
            records_by_id[one.contact.clio_id],
            one.known.view if one.known else None,
            one.contact.view,
        )
        for one in published
        if one.change is not None or one.contact.view.state is not State.IN_SCOPE
    ]
    await published_words.update(session, account_id, people, context.firm.country)
