"""Cases for contacts that look like the same person or company [S6]."""

import pytest

from app.rules.facts import ContactFacts
from app.rules.matching import is_same_contact, is_same_person
from app.rules.profile import profile
from app.rules.records import ContactRecord, Email


def record(
    first: str | None = None, last: str | None = None, *emails: str, **more
) -> ContactRecord:
    listed = tuple(Email(address) for address in emails)
    return ContactRecord(
        **{
            "clio_id": 1,
            "is_person": True,
            "first_name": first,
            "last_name": last,
            "emails": listed,
            **more,
        }
    )


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (record("Ann", "Lee"), record("ann", "LEE"), True),
        (record("Ann Marie", "Lee"), record("Ann", "Marie  Lee"), True),
        (record(" Ann ", "Lee"), record(name="Ann Lee"), True),
        (record(None, "Cher"), record(name="CHER"), True),
        (record("Ann", "Lee"), record("Anna", "Lee"), False),
        (record("Ann"), record("Ann", "Lee"), False),
        (record(), record(), False),
        (record(), record(name=" "), False),
        (record("Ann", "Lee", "a@x.test"), record("Bo", "Kim", " A@X.test "), True),
        (record("Ann", "Lee", "a@x.test"), record("Bo", "Kim", "b@x.test"), False),
        (record("Ann", "Lee", ""), record("Bo", "Kim", ""), False),
        (record("Ann", "Lee", " "), record("Bo", "Kim", ""), False),
        (record("Gro\u00df", "Lee"), record("GROSS", "Lee"), True),
        (record("Jose\u0301", "Lee"), record("\u200bJos\u00e9", "LEE\ufeff"), True),
        (record("\u200b", "\u2060"), record("\ufeff", "\u200b"), False),
        (record("Ann", "Lee", "a@x.test"), record("Bo", "Kim", "a\u200b@x.test\u2060"), True),
        (record("Ann", "Lee", "a@x\r\n"), record("Bo", "Kim", "a@x"), True),
        (record("Ann", "Lee", "a@x\r\nb"), record("Bo", "Kim", "a@x\r\nb"), False),
    ],
)  # fmt: skip
def test_contacts_match_by_full_name_or_email_address(one, other, same):
    assert is_same_contact(one, other) == is_same_contact(other, one) == same
    mapped = [profile(ContactFacts(contact), "US") for contact in (one, other)]
    assert is_same_person(*mapped) == same, "the comparison of new-client rows"


def test_a_company_is_never_a_person():
    company = record(name="Lee", is_person=False)
    assert is_same_contact(company, record(name="LEE", is_person=False))
    assert not is_same_contact(company, record(None, "Lee"))
