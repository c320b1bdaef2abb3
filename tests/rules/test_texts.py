"""Every sentence of the rules that a Success Manager reads, word for word [S12]."""

import pytest

from app.rules import view
from app.rules.records import CustomValue
from app.rules.results import Category
from app.rules.settings import AttorneyTags, CustomFieldTag, OwnerFallback, Representatives, Segment
from tests.rules.builders import FIELDS, Office, cases
from tests.support.values import replace

BARE = {"name": None, "first_name": None, "last_name": None, "emails": ()}
NON_CLIENTS = {"scope__include_non_clients": True}
SCOPES = [
    ("flag", 1001, {}, {}, "clients", "This person is marked as a client in Clio"),
    ("own matter", 1001, {}, {"is_client": False}, "clients", "This person is the client of a matter"),
    ("company", 1007, {}, {}, "clients", "This person represents a company that is a client"),
    ("related", 1005, {"scope__include_related": True}, {}, "include_related",
     "This person is related to 00201-Moreno (Spouse)"),
    ("anybody", 1006, NON_CLIENTS, {}, "include_non_clients", "The settings include people who are not clients"),
    ("a company", 2001, {}, {}, "company", "Only people are synced, not companies"),
    ("related, not wanted", 1005, {}, {}, "include_related", "The settings do not include related people"),
    ("representative, not wanted", 1007, {"tags__company_representatives": Representatives.NONE}, {},
     "company_representatives",
     "This person works for Northwind Bakery LLC, which is a client,"
     " but the settings do not include representatives of companies"),
    ("no client", 1006, {}, {}, "clients",
     "This person is not marked as a client in Clio and is not the client of a matter"),
    ("nothing to show", 1001, {}, BARE, "minimum_data", "This person has no name and no e-mail address"),
    ("opted out", 1001, {"scope__opt_out_field_id": 1}, {}, "opt_out_field_id",
     "The opt-out field “Newsletter OK” is ticked in Clio"),
    ("segment", 1001, {"scope__segment": Segment((), ("client",))}, {}, "segment",
     "The segment excludes the tag Client"),
    ("not in the segment", 1001, {"scope__segment": Segment(("Gold", "Silver"))}, {}, "segment",
     "This person has none of the segment's tags: Gold, Silver"),
    ("excluded role", 1009, {}, {}, "related_role_exclude",
     "This person has the role Opposing Counsel in 00201-Moreno; the settings exclude this role"),
]  # fmt: skip


@pytest.mark.parametrize(("clio_id", "choices", "changes", "rule", "detail"), cases(SCOPES))
def test_the_scope_is_explained(clio_id, choices, changes, rule, detail):
    office = Office().with_settings(**choices).contact(clio_id, **changes)
    found = office.assess(clio_id)
    assert (found.scope.rule, found.scope.detail) == (rule, detail)
    assert found.scope.in_scope is (found.scope.reason is None)
    assert found.profile.title == office.contacts[clio_id].title
    refused = [(item.label, item.rule, item.why) for item in found.not_granted]
    if rule == "related_role_exclude":
        assert refused == [("Related Contacts", rule, detail)]
    elif not found.scope.in_scope:
        assert refused == []


VALUES = [
    (3, {}, CustomValue(3, "many"), "The value is not a number"),
    (8, {}, CustomValue(8, "x"), "This type of custom field cannot become a tag"),
    (5, {"deleted": True}, CustomValue(5, "x"), "The field was deleted in Clio"),
    (4, {}, CustomValue(4, "1"), "The chosen option is not in the field's list of options"),
    (4, {"options": {1: replace(FIELDS[4].options[9001], deleted=True)}}, CustomValue(4, "1"),
     "The chosen option was deleted in Clio"),
    (7, {}, CustomValue(7, "n" * 61), "The value has 61 characters; a tag can have at most 60"),
]  # fmt: skip


@pytest.mark.parametrize(("field_id", "changes", "value", "why"), VALUES)
def test_a_value_that_makes_no_tag_is_explained(field_id, changes, value, why):
    office = Office().with_settings(tags__custom_fields=(CustomFieldTag(field_id),))
    office = office.with_firm_facts(fields={field_id: replace(FIELDS[field_id], **changes)})
    refused = office.contact(1002, custom_values=(value,)).assess(1002).not_granted
    assert [(item.label, item.why) for item in refused if item.rule == "custom_fields"] == [
        (FIELDS[field_id].name, why)
    ]
    assert office.contact(1002, custom_values=()).labels(1002) == Office().labels(1002)


DATES = [
    ({"field_type": "time"}, "2010-06-12", "This is not a date field of contacts"),
    ({"deleted": True}, "2010-06-12", "The field was deleted in Clio"),
    ({}, "soon", "The value is not a date"),
]


@pytest.mark.parametrize(("changes", "value", "why"), DATES)
def test_a_date_that_is_not_shown_is_explained(changes, value, why):
    office = Office().with_settings(key_facts__custom_date_field_ids=(6,))
    office = office.with_firm_facts(fields={6: replace(FIELDS[6], **changes)})
    refused = office.contact(1002, custom_values=(CustomValue(6, value),)).assess(1002).not_granted
    assert ("Wedding Anniversary", "custom_date", why) in {
        (item.label, item.rule, item.why) for item in refused
    }


def test_a_date_without_a_name_is_explained_by_its_id():
    office = Office().with_settings(key_facts__custom_date_field_ids=(6,))
    office = office.with_firm_facts(fields={6: replace(FIELDS[6], name=None)})
    assert office.assess(1001).key_facts[-1].label == "Field 6"


def test_a_withheld_tag_is_explained():
    office = Office().ben_connects().with_settings(restricted_matters__withhold=True)
    assert {item.why for item in office.assess(1008).not_granted} == {
        "All matters behind this tag have limited permissions in Clio"
    }


def test_the_tags_that_are_always_on_are_explained():
    grants = {
        tag.label: tag.grants[0] for tag in Office().with_settings(**NON_CLIENTS).assess(1006).tags
    }
    assert {label: grant.because for label, grant in grants.items()} == {
        "Clio": "This contact comes from Clio",
        "Person": "This contact is a person in Clio",
        "Personal": "This person does not represent a client company",
    }
    assert {label: grant.rule for label, grant in grants.items()} == {
        "Clio": "clio",
        "Person": "person",
        "Personal": "personal",
    }
    assert {grant.setting for grant in grants.values()} == {None}
    [past] = [tag for tag in Office().assess(1002).tags if tag.label == "Past Client"]
    assert (past.grants[0].because, past.grants[0].setting) == ("Closed: 00203-Okafor", None)


def test_attorney_tags_are_explained():
    office = Office().with_settings(tags__responsible_attorney=AttorneyTags.ALL)
    [tag] = [t for t in office.assess(1002).tags if t.category is Category.ATTORNEY]
    assert tag.grants[0].because == "Responsible attorney of 00203-Okafor"


def test_a_missing_owner_keeps_the_matters_that_were_considered():
    office = Office().matter(206, originating=None)
    for choices in ({"ownership__fallback": OwnerFallback.UNASSIGNED}, {}):
        for primary in ("u_off", None):
            found = (
                office.with_settings(**choices)
                .with_firm_facts(primary_user_id=primary)
                .assess(1004)
                .owner
            )
            assert found is not None
            assert [considered.matter_id for considered in found.considered] == [206]


def test_levitate_holds_each_tag_with_its_category_and_the_owner_with_the_reason():
    held = view(None, Office().matter(206, originating=None).assess(1004))
    assert held is not None
    assert [(tag.label, tag.category) for tag in held.tags] == [
        ("Clio", Category.DEFAULT),
        ("Person", Category.DEFAULT),
        ("Client", Category.CLIENT_STATUS),
        ("Pending Client", Category.CLIENT_STATUS),
        ("Personal", Category.PERSONAL_COMPANY),
    ]
    assert held.owner is not None
    assert (held.owner.user_id, held.owner.rule, held.owner.matter_id) == (
        "u_off",
        "fallback",
        None,
    )
    assert held.owner.detail == "attorney_not_mapped: Dana Voss (504)"


def test_each_tag_names_its_rule():
    office = Office().with_settings(tags__location__city=True, scope__include_related=True)
    rules = {
        tag.label: {grant.rule for grant in tag.grants}
        for clio_id in (1001, 1005, 1007)
        for tag in office.assess(clio_id).tags
    }
    assert rules == {
        "Clio": {"clio"},
        "Person": {"person"},
        "Client": {"client"},
        "Active Client": {"client_status"},
        "Family Law": {"practice_area"},
        "Business Law": {"practice_area"},
        "Related Contacts": {"related_contact"},
        "Raleigh": {"location"},
        "Personal": {"personal"},
        "Company": {"company"},
    }
