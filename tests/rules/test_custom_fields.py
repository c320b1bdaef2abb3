"""Custom fields as tags: CF-1..5, rows 12 and 13, and every odd value of clio.md §16.6."""

import pytest

from app.rules import diff, view
from app.rules.custom_values import Unusable, read_date, read_value
from app.rules.facts import CustomField, Option
from app.rules.records import CustomValue
from app.rules.results import Category, Refusal
from app.rules.settings import CustomFieldTag, LabelFormat
from tests.rules.builders import FIELDS, Office, cases
from tests.support.values import replace

DEFAULT, VALUE, NAME_VALUE, NAME = LabelFormat


def chosen(*field_ids: int, form: LabelFormat = DEFAULT) -> Office:
    return Office().with_settings(
        tags__custom_fields=tuple(CustomFieldTag(field_id, form) for field_id in field_ids)
    )


def labels(office: Office) -> list[str]:
    return [t.label for t in office.assess(1001).tags if t.category is Category.CUSTOM_FIELD]


def refusals(office: Office) -> list[tuple[str, Refusal]]:
    return [
        (i.label, i.refusal) for i in office.assess(1001).not_granted if i.rule == "custom_fields"
    ]


def test_no_field_makes_tags_until_it_is_chosen():
    assert labels(Office()) == []  # CF-3, C-13


def test_alices_fields_become_the_labels_in_the_requirements():
    # CF-1, CF-2
    office = chosen(1, 2, 3, 4, 5, 7)
    assert sorted(labels(office)) == [
        "Children: 2", "Friend", "Net Worth: 250000", "Newsletter OK", "Nickname: Allie",
    ]  # fmt: skip
    assert refusals(office) == [("Intake Notes", Refusal.TOO_LONG)]
    [long] = [i for i in office.assess(1001).not_granted if i.rule == "custom_fields"]
    assert long.why == "The value has 900 characters; a tag can have at most 60"


FORMATS = [  # CF-3, row 13
    (1, {DEFAULT: "Newsletter OK", NAME: "Newsletter OK", VALUE: "Yes", NAME_VALUE: "Newsletter OK: Yes"}),
    (2, {DEFAULT: "Net Worth: 250000", NAME: "Net Worth", VALUE: "250000", NAME_VALUE: "Net Worth: 250000"}),
    (3, {DEFAULT: "Children: 2", NAME: "Children", VALUE: "2", NAME_VALUE: "Children: 2"}),
    (4, {DEFAULT: "Friend", NAME: "Referral Source", VALUE: "Friend", NAME_VALUE: "Referral Source: Friend"}),
    (5, {DEFAULT: "Nickname: Allie", NAME: "Nickname", VALUE: "Allie", NAME_VALUE: "Nickname: Allie"}),
]  # fmt: skip


@pytest.mark.parametrize(
    ("field_id", "form", "expected"),
    [(field_id, form, label) for field_id, forms in FORMATS for form, label in forms.items()],
)
def test_every_kind_of_field_has_every_label_format(field_id, form, expected):
    office = chosen(field_id, form=form)
    assert labels(office) == [expected]


def test_a_grant_names_its_field_and_where_it_was_chosen():
    [tag] = [t for t in chosen(1, 4).assess(1001).tags if t.label == "Friend"]
    [grant] = tag.grants
    assert (grant.rule, grant.setting, grant.field_id) == (
        "custom_fields",
        "/tags/custom_fields/1",
        4,
    )
    assert (grant.because, grant.source_id) == ("Referral Source is Friend in Clio", 4)


def test_two_fields_that_give_one_label_are_listed_in_the_order_of_their_ids():
    # TG-21
    office = chosen(5, 4, form=VALUE)
    office = office.contact(1001, custom_values=(CustomValue(5, "friend"), CustomValue(4, 9002)))
    [tag] = [t for t in office.assess(1001).tags if t.category is Category.CUSTOM_FIELD]
    assert (tag.label, [grant.field_id for grant in tag.grants]) == ("Friend", [4, 5])


def test_a_new_option_replaces_the_old_one_in_one_change():
    # CF-4
    office = chosen(4)
    before = view(None, office.assess(1001))
    after = view(before, office.contact(1001, custom_values=(CustomValue(4, 9001),)).assess(1001))
    assert after is not None
    change = diff(before, after)
    assert change is not None
    assert (change.tags_removed, change.tags_added) == (("Friend",), ("Google",))


def test_a_deleted_field_or_option_gives_no_tag():
    # CF-5
    deleted = replace(FIELDS[4], deleted=True)
    option = replace(FIELDS[4], options={9002: Option("Friend", deleted=True)})
    for field in (deleted, option):
        office = chosen(4).with_firm_facts(fields={4: field})
        assert (labels(office), refusals(office)) == ([], [("Referral Source", Refusal.DELETED)])
    soft = chosen(4).contact(1001, custom_values=(CustomValue(4, "9002", soft_deleted=True),))
    assert (labels(soft), refusals(soft)) == ([], [("Referral Source", Refusal.DELETED)])


def test_a_value_that_is_not_deleted_comes_first():
    values = (CustomValue(5, "Old", soft_deleted=True), CustomValue(5, "New"))
    assert labels(chosen(5).contact(1001, custom_values=values)) == ["Nickname: New"]


def test_an_unknown_field_gives_no_tag_and_no_refusal():
    # CF-5, EN-3
    assert labels(chosen(4, 99).with_firm_facts(fields={})) == []
    assert refusals(chosen(99)) == []


def test_fields_of_matters_make_no_tags():
    # CF-1
    office = chosen(5).with_firm_facts(fields={5: replace(FIELDS[5], parent_type="Matter")})
    assert (labels(office), refusals(office)) == ([], [("Nickname", Refusal.NOT_USABLE)])
    lower = chosen(5).with_firm_facts(fields={5: replace(FIELDS[5], parent_type="contact")})
    assert labels(lower) == ["Nickname: Allie"]
    unsaid = chosen(5).with_firm_facts(fields={5: replace(FIELDS[5], parent_type=None)})
    assert labels(unsaid) == []


@pytest.mark.parametrize("field_id", [6, 8, 9])
def test_other_kinds_of_fields_make_no_tags(field_id):
    # CF-2
    office = chosen(field_id).contact(1001, custom_values=(CustomValue(field_id, "x"),))
    assert labels(office) == []
    assert refusals(office) == [(FIELDS[field_id].name, Refusal.NOT_USABLE)]
    empty = office.contact(1001, custom_values=(CustomValue(field_id),))
    assert refusals(empty) == []


def test_a_field_without_a_name_is_shown_by_its_value():
    office = chosen(5).with_firm_facts(fields={5: replace(FIELDS[5], name=None)})
    assert labels(office) == ["Allie"]
    assert (
        labels(chosen(5, form=NAME).with_firm_facts(fields={5: replace(FIELDS[5], name=" ")})) == []
    )
    [tag] = [t for t in office.assess(1001).tags if t.label == "Allie"]
    assert tag.grants[0].because == "The custom field is Allie in Clio"
    long = chosen(7).with_firm_facts(fields={7: replace(FIELDS[7], name=None)})
    assert refusals(long) == [("field 7", Refusal.TOO_LONG)]


TOO_LONG, UNPARSABLE, GONE = Refusal.TOO_LONG, Refusal.UNPARSABLE, Refusal.NOT_USABLE
YES = [True, "true", "TRUE", "1", "Yes", " yes ", 1, 1.0]
NO = [False, "false", "0", "No", "", " ", "off", 0, 2, 0.0, None]
NUMBERS = [  # row 13
    ("text", "2", "2"),
    ("integer", 2, "2"),
    ("zero", "0", "0"),
    ("zero, not nothing", 0, "0"),
    ("float", 2.5, "2.5"),
    ("whole float", 2.0, "2"),
    ("trailing zeros", "2.50", "2.5"),
    ("zeros before the point stay", "100.00", "100"),
    ("zeros without a point stay", "1000", "1000"),
    ("separators", "1,250,000.10", "1250000.1"),
    ("negative", "-12", "-12"),
    ("plus", "+12", "12"),
    ("negative zero", "-0.00", "0"),
    ("leading zeros", "007", "7"),
    ("point first", ".5", "0.5"),
    ("point last", "5.", "5"),
    ("space around", " 7 ", "7"),
    ("large float", 1e21, "1000000000000000000000"),
    ("small float", 1e-7, "0.0000001"),
    ("empty", "", None),
    ("blank", "  ", None),
    ("nothing", None, None),
    ("words", "many", UNPARSABLE),
    ("currency sign", "$5", UNPARSABLE),
    ("comma as point", "1,5", UNPARSABLE),
    ("European", "1.234,56", UNPARSABLE),
    ("two points", "1.2.3", UNPARSABLE),
    ("point alone", ".", UNPARSABLE),
    ("exponent", "1e999999999", UNPARSABLE),
    ("other digits", "٣", UNPARSABLE),
    ("not a number", float("nan"), UNPARSABLE),
    ("infinite", float("inf"), UNPARSABLE),
    ("true", True, UNPARSABLE),
    ("false", False, UNPARSABLE),
    ("sixty digits", "9" * 60, "9" * 60),
    ("too many digits", "9" * 61, UNPARSABLE),
    ("too many digits as a number", 10**60, UNPARSABLE),
    ("a number that Python does not spell", 10**5000, UNPARSABLE),
    ("a number just short enough", 10**60 - 1, "9" * 60),
]
WORDS = [  # row 12
    ("text", "Allie", "Allie"),
    ("trimmed", "  Al \n lie ", "Al lie"),
    ("blank", " \n", None),
    ("empty", "", None),
    ("nothing", None, None),
    ("sixty", "x" * 60, "x" * 60),
    ("sixty-one", "x" * 61, TOO_LONG),
    ("sixty once collapsed", "x" * 30 + "   " + "y" * 29, "x" * 30 + " " + "y" * 29),
    ("a number", 12, "12"),
    ("a float", 1.5, "1.5"),
    ("true", True, "Yes"),
    ("false", False, "No"),
    ("a huge number", 10**5000, TOO_LONG),
    ("not a number", float("nan"), "NaN"),
]
OPTIONS = [
    ("id as text", "9002", "Friend"),
    ("id", 9002, "Friend"),
    ("id as float", 9002.0, "Friend"),
    ("space", " 9001 ", "Google"),
    ("empty", "", None),
    ("nothing", None, None),
    ("unknown", "9009", GONE),
    ("the label instead", "Friend", GONE),
    ("true", True, GONE),
    ("superscript", "²", GONE),
    ("very long", "9" * 5000, GONE),
    ("twenty-one digits", "0" * 17 + "9002", GONE),
    ("twenty digits", "0" * 16 + "9002", "Friend"),
    ("deleted option", "9003", Refusal.DELETED),
    ("option without text", "9004", None),
    ("option of spaces", "9005", None),
]
PICKLIST = CustomField(
    4,
    "Source",
    "picklist",
    options={
        9001: Option("Google"),
        9002: Option(" Friend "),
        9003: Option("Old", deleted=True),
        9004: Option(None),
        9005: Option(" "),
    },
)


def outcome(field: CustomField, value: object) -> object:
    found = read_value(field, CustomValue(field.field_id, value))  # type: ignore[arg-type]
    return found.refusal if isinstance(found, Unusable) else found


@pytest.mark.parametrize("kind", ["numeric", "currency"])
@pytest.mark.parametrize(("value", "expected"), cases(NUMBERS))
def test_numbers_are_read_in_every_spelling(kind, value, expected):
    assert outcome(CustomField(3, "Children", kind), value) == expected


@pytest.mark.parametrize("kind", ["text_line", "text_area"])
@pytest.mark.parametrize(("value", "expected"), cases(WORDS))
def test_text_is_read_up_to_sixty_characters(kind, value, expected):
    assert outcome(CustomField(5, "Nickname", kind), value) == expected


@pytest.mark.parametrize(("value", "expected"), cases(OPTIONS))
def test_an_option_is_looked_up_by_its_id(value, expected):
    assert outcome(PICKLIST, value) == expected


@pytest.mark.parametrize(
    ("value", "expected"), [*((v, "Yes") for v in YES), *((v, None) for v in NO)]
)
def test_a_checked_checkbox_is_read_in_every_spelling(value, expected):
    assert outcome(CustomField(1, "Newsletter", "checkbox"), value) == expected


def test_a_field_of_an_unknown_kind_is_not_usable():
    assert outcome(CustomField(1, "?", None), "x") == GONE
    assert outcome(CustomField(1, "?", "hologram"), "x") == GONE


DATES = [
    ("2010-06-12", "2010-06-12"), (" 2010-06-12 ", "2010-06-12"),
    ("2010-06-12T00:00:00Z", "2010-06-12"), ("2012-02-29", "2012-02-29"),
    ("2011-02-29", None), ("0000-00-00", None), ("12.06.2010", None), ("", None), (None, None),
    (20100612, None), (True, None),
]  # fmt: skip


@pytest.mark.parametrize(("value", "expected"), DATES)
def test_a_value_is_read_as_a_date_or_as_none(value, expected):
    found = read_date(value)
    assert (found.isoformat() if found else None) == expected
