"""The key fact rules. A key fact is a short labelled value that Levitate shows with a contact."""

from collections.abc import Iterator
from datetime import date

from app.rules.custom_values import is_contact_field, read_date, value_of
from app.rules.labels import select_not_granted
from app.rules.records import ContactRecord
from app.rules.results import KeyFact, NotGranted, Refusal
from app.rules.subject import Subject
from app.rules.texts import shown

MAX_DATES = 20  # Levitate holds at most 100 key facts of a contact, from all sources [KF-4]
IMPLAUSIBLE = "implausible"


def key_facts(subject: Subject) -> tuple[tuple[KeyFact, ...], tuple[NotGranted, ...]]:
    """Return the key facts and what was refused: birthday, Clio id, then custom dates in the order of the setting.

    [KF-1..4, row 17]
    """
    dates, refused = _custom_dates(subject)
    return (*_built_in(subject), *dates), refused


def _built_in(subject: Subject) -> Iterator[KeyFact]:
    """Yield the birthday and the Clio id, if the firm wants them [KF-1, KF-3]."""
    chosen, contact = subject.settings.key_facts, subject.contact
    if chosen.birthday and contact.date_of_birth is not None:
        born = contact.date_of_birth
        flag = IMPLAUSIBLE if _is_implausible(born, contact) else None
        yield KeyFact("birthday", "Birthday", born.isoformat(), flag=flag)
    if chosen.clio_id:
        yield KeyFact("clio_id", "Clio ID", str(contact.clio_id))


def _is_implausible(born: date, contact: ContactRecord) -> bool:
    """Return whether a birthday looks like a placeholder: before 1901, or after the record was last updated [KF-1]."""
    written = contact.updated_at.date() if contact.updated_at else date.max
    return born.year <= 1900 or born > written


def _custom_dates(subject: Subject) -> tuple[tuple[KeyFact, ...], tuple[NotGranted, ...]]:
    """Return the chosen date fields that have a value, at most 20 [KF-2, KF-4]."""
    chosen = dict.fromkeys(subject.settings.key_facts.custom_date_field_ids)
    if not chosen:
        return (), ()
    found = [fact for field_id in chosen if (fact := _custom_date(subject, field_id)) is not None]
    facts = [fact for fact in found if isinstance(fact, KeyFact)]
    refused = [fact for fact in found if isinstance(fact, NotGranted)]
    why = f"Only the first {MAX_DATES} custom dates are shown"
    refused += [
        NotGranted(fact.label, "custom_date", why, Refusal.LIMIT) for fact in facts[MAX_DATES:]
    ]
    return tuple(facts[:MAX_DATES]), select_not_granted(refused, ())


def _custom_date(subject: Subject, field_id: int) -> KeyFact | NotGranted | None:
    field, found = subject.firm.fields.get(field_id), value_of(subject.contact, field_id)
    if field is None or found is None or found.value in (None, ""):
        return None
    label = shown(field.name) or f"Field {field_id}"
    if field.field_type != "date" or not is_contact_field(field):
        why = "This is not a date field of contacts"
        return NotGranted(label, "custom_date", why, Refusal.NOT_USABLE)
    if field.deleted or found.soft_deleted:
        return NotGranted(label, "custom_date", "The field was deleted in Clio", Refusal.DELETED)
    day = read_date(found.value)
    if day is None:
        return NotGranted(label, "custom_date", "The value is not a date", Refusal.UNPARSABLE)
    return KeyFact("custom_date", label, day.isoformat(), field_id=field_id)
