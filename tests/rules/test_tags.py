"""Tags of status, matters, relationships, places and attorneys: TG-1..21, S7, rows 2, 3, 8..12, 22."""

import pytest

from app.rules.records import Address, Attorney, MatterStatus
from app.rules.results import Category, Grant, Refusal, Tag
from app.rules.settings import AttorneyTags, LabelFrom, Representatives
from tests.rules.builders import CLOSED, OPEN, PENDING, Office, at, cases

ALL = frozenset(MatterStatus)
RELATED = {"scope__include_related": True}


def tag(office: Office, clio_id: int, label: str) -> Tag:
    [found] = [tag for tag in office.assess(clio_id).tags if tag.label == label]
    return found


def of(office: Office, clio_id: int, category: Category) -> list[str]:
    return [tag.label for tag in office.assess(clio_id).tags if tag.category is category]


def client_with(*matters: MatterStatus, flag: bool) -> Office:
    office = Office().contact(1006, is_client=flag)
    for place, status in enumerate(matters):
        office = office.matter(300 + place, client_id=1006, status=status)
    return office


STATUS = [  # the truth table of requirements.md section 12: TG-4, TG-5, TG-6, TG-7, C-1, C-2
    ((OPEN,), "Active Client"),
    ((OPEN, PENDING), "Active Client"),
    ((CLOSED, OPEN, PENDING), "Active Client"),
    ((OPEN, CLOSED), "Active Client"),
    ((PENDING,), "Pending Client"),
    ((CLOSED, PENDING), "Pending Client"),
    ((CLOSED,), "Past Client"),
    ((CLOSED, CLOSED), "Past Client"),
    ((), None),
]


@pytest.mark.parametrize("flag", [True, False])
@pytest.mark.parametrize(("matters", "expected"), STATUS)
def test_the_client_status_follows_its_truth_table(matters, expected, flag):
    office = client_with(*matters, flag=flag)
    found = of(office, 1006, Category.CLIENT_STATUS)
    client = ["Client"] if flag or matters else []
    assert found == sorted([*client, *([expected] if expected else [])])


def test_a_reopened_matter_makes_an_active_client():
    # TG-6
    labels = Office().matter(203, status=OPEN).labels(1002)
    assert "Active Client" in labels
    assert "Past Client" not in labels


def test_the_client_tag_stays_with_the_flag_when_all_matters_close():
    # TG-8
    closed = Office().matter(201, status=CLOSED)
    assert of(closed, 1001, Category.CLIENT_STATUS) == ["Client", "Past Client"]
    gone = closed.without_matters(201, 202)
    assert of(gone, 1001, Category.CLIENT_STATUS) == ["Client"]
    assert not gone.contact(1001, is_client=False).assess(1001).scope.in_scope


def test_the_client_tag_has_one_grant_for_each_reason():
    flag, own = tag(Office(), 1001, "Client").grants
    assert (flag.because, flag.matter_ids) == ("This person is marked as a client in Clio", ())
    assert (own.because, own.matter_ids) == ("Client of 00201-Moreno, 00202-Moreno", (201, 202))
    flag, matters = tag(Office(), 1007, "Client").grants
    assert flag.because == "Represents Northwind Bakery LLC, which is marked as a client in Clio"
    assert matters.because == "Represents Northwind Bakery LLC, the client of 00207-Northwind"
    assert (flag.matter_ids, matters.matter_ids) == ((), (207,))
    assert flag.setting == matters.setting == "/tags/company_representatives"
    assert [g.because for g in tag(Office(), 1007, "Company").grants] == [
        flag.because,
        matters.because,
    ]


def test_a_long_list_of_matters_is_cut_in_the_reason_but_not_in_the_ids():
    office = client_with(*[OPEN] * 7, flag=False).matter(300, number=None)
    [grant] = tag(office, 1006, "Active Client").grants
    assert grant.because == "Open: matter 300, 00301, 00302, 00303, 00304 and 2 more"
    assert grant.matter_ids == tuple(range(300, 307))


def test_a_sixth_matter_is_counted_as_one_more():
    [grant] = tag(client_with(*[OPEN] * 6, flag=False), 1006, "Active Client").grants
    assert grant.because.endswith("00304 and 1 more")


def test_five_matters_are_all_named():
    [grant] = tag(client_with(*[OPEN] * 5, flag=False), 1006, "Active Client").grants
    assert grant.because == "Open: 00300, 00301, 00302, 00303, 00304"


def test_every_contact_has_the_tags_clio_and_person():
    for clio_id in Office().in_scope():
        assert Office().labels(clio_id)[:2] == ["Clio", "Person"]  # TG-2, TG-3


def test_practice_areas_are_those_of_open_matters_unless_the_settings_differ():
    # TG-9, C-7, TG-19
    area = Category.PRACTICE_AREA
    assert of(Office(), 1001, area) == ["Family Law"]
    both = Office().with_settings(tags__practice_area__matter_status=frozenset({OPEN, CLOSED}))
    assert of(both, 1001, area) == ["Estate Planning", "Family Law"]
    assert of(Office().with_settings(tags__practice_area__enabled=False), 1001, area) == []
    [grant] = tag(Office(), 1001, "Family Law").grants
    assert grant == Grant(
        "Family Law", area, "practice_area", "Practice area of 00201-Moreno (open)",
        (201,), "/tags/practice_area", source_id=11,
    )  # fmt: skip


def test_the_area_of_a_closed_matter_is_explained():
    # S12
    [refused] = [item for item in Office().assess(1001).not_granted if item.rule == "practice_area"]
    assert (refused.label, refused.refusal) == ("Estate Planning", Refusal.MATTER_STATUS)
    assert refused.why == "00202-Moreno is closed; the setting includes only these statuses: open"
    nothing = Office().with_settings(tags__practice_area__matter_status=frozenset())
    assert "statuses: none" in nothing.assess(1001).not_granted[0].why
    two = Office().with_settings(tags__practice_area__matter_status=frozenset({PENDING, CLOSED}))
    assert "statuses: pending, closed" in two.assess(1001).not_granted[0].why


def test_an_area_that_another_matter_gives_is_not_missing():
    # 1010: Personal Injury is open in one matter and pending in another
    refused = [item.label for item in Office().assess(1010).not_granted]
    assert refused == ["Family Law"]


CATEGORIES = [
    (LabelFrom.NAME, "personal_injury", "Accidents"),
    (LabelFrom.CATEGORY, "personal_injury", "Personal Injury"),
    (LabelFrom.CATEGORY, "wills_and_estates", "Wills And Estates"),
    (LabelFrom.CATEGORY, None, "Accidents"),
    (LabelFrom.CATEGORY, "", "Accidents"),
]


@pytest.mark.parametrize(("label_from", "category", "expected"), CATEGORIES)
def test_an_area_is_labelled_by_its_name_or_its_category(label_from, category, expected):
    # TG-9, TG-10, row 10
    office = Office().matter(201, practice_area="Accidents", practice_area_category=category)
    office = office.with_settings(
        tags__practice_area__label_from=label_from,
        tags__related_practice_area__enabled=True,
        **RELATED,
    )
    assert of(office, 1001, Category.PRACTICE_AREA) == [expected]
    assert of(office, 1005, Category.RELATED_PRACTICE_AREA) == [f"Related: {expected}"]


def test_related_practice_areas_are_an_option():
    # TG-10
    on = Office().with_settings(tags__related_practice_area__enabled=True, **RELATED)
    category = Category.RELATED_PRACTICE_AREA
    assert of(Office().with_settings(**RELATED), 1005, category) == []
    assert of(on, 1005, category) == ["Related: Family Law"]
    [grant] = tag(on, 1005, "Related: Family Law").grants
    assert grant.because == "Practice area of the related matter 00201-Moreno (open)"
    assert (grant.setting, grant.source_id) == ("/tags/related_practice_area", 11)
    closed = on.matter(201, status=CLOSED)
    assert of(closed, 1005, category) == []
    assert [item.label for item in closed.assess(1005).not_granted] == ["Related: Family Law"]
    assert of(on.matter(201, practice_area=None), 1005, category) == []


def test_relationships_are_an_option():
    # TG-11
    on = Office().with_settings(tags__relationships__enabled=True, **RELATED)
    assert of(on, 1005, Category.RELATIONSHIP) == ["Spouse"]
    assert of(Office().with_settings(**RELATED), 1005, Category.RELATIONSHIP) == []
    [grant] = tag(on, 1005, "Spouse").grants
    assert grant.because == "Relationship to 00201-Moreno"
    assert (grant.matter_ids, grant.setting, grant.source_id) == (
        (201,),
        "/tags/relationships",
        301,
    )


DESCRIPTIONS = [
    ("trimmed", "  Best   friend ", ["Best friend"]),
    ("sixty characters", "x" * 60, ["x" * 60]),
    ("cut to sixty", "x" * 61, ["x" * 60]),
    ("cut at a space", "x" * 59 + " yz", ["x" * 59]),
    ("blank", "  ", []),
    ("none", None, []),
]


@pytest.mark.parametrize(("description", "expected"), cases(DESCRIPTIONS))
def test_a_relationship_is_cut_to_sixty_characters(description, expected):
    # TG-11, row 12
    office = Office().link(207, 1001, description).with_settings(tags__relationships__enabled=True)
    assert of(office, 1001, Category.RELATIONSHIP) == expected


def test_relationships_equal_but_for_case_are_one_tag_in_the_spelling_of_the_lowest_id():
    # TG-11, TG-21, row 11
    office = Office().link(210, 1001, "best FRIEND").link(207, 1001, "Best friend")
    office = office.with_settings(tags__relationships__enabled=True)
    assert of(office, 1001, Category.RELATIONSHIP) == ["best FRIEND"]
    assert len(tag(office, 1001, "best FRIEND").grants) == 2


def test_excluded_roles_count_for_the_tags_of_a_contact_in_scope():
    # row 1
    office = (
        Office()
        .link(207, 1001, "Opposing counsel")
        .with_settings(tags__relationships__enabled=True)
    )
    assert {"Opposing counsel", "Related Contacts"} <= set(office.labels(1001))


def test_a_contact_related_to_a_matter_of_another_client_is_a_related_contact():
    # TG-12, row 9
    assert "Related Contacts" in Office().with_settings(**RELATED).labels(1005)
    witness = Office().link(207, 1001, "Witness")
    assert {"Related Contacts", "Active Client"} <= set(witness.labels(1001))
    [grant] = tag(witness, 1001, "Related Contacts").grants
    assert (grant.because, grant.matter_ids) == ("Witness in 00207-Northwind", (207,))
    nameless = Office().link(207, 1001, None)
    assert tag(nameless, 1001, "Related Contacts").grants[0].because == "Related in 00207-Northwind"


def test_a_relationship_to_ones_own_matter_makes_no_related_contact():
    # TG-12, row 3
    assert "Related Contacts" not in Office().link(201, 1001, "Client").labels(1001)


def test_a_representatives_relationship_to_the_companys_matter_is_related():
    # row 2
    assert "Related Contacts" in Office().link(207, 1007, "Signer").labels(1007)


def test_matter_numbers_are_an_option():
    # TG-13, C-10
    on = Office().with_settings(tags__matter_number__enabled=True)
    number = Category.MATTER_NUMBER
    assert of(on, 1001, number) == ["00201-Moreno"]
    assert of(on, 1010, number) == ["00209-Reyes", "00210-Reyes"]
    assert of(Office(), 1001, number) == []
    every = on.with_settings(tags__matter_number__matter_status=ALL)
    assert of(every, 1001, number) == ["00201-Moreno", "00202-Moreno"]
    assert of(on.matter(201, number=None), 1001, number) == []
    [grant] = tag(on, 1001, "00201-Moreno").grants
    assert (grant.because, grant.source_id) == ("Number of 00201-Moreno (open)", 201)
    assert grant.setting == "/tags/matter_number"


def test_matter_tags_are_the_stage_or_else_the_status():
    # TG-14, C-11
    on = Office().with_settings(tags__matter_tag__enabled=True)
    kind = Category.MATTER_TAG
    assert of(on, 1001, kind) == ["Discovery"]
    assert of(on, 1010, kind) == ["Open", "Pending"]
    assert of(on, 1002, kind) == []
    assert of(on.with_settings(tags__matter_tag__matter_status=ALL), 1002, kind) == ["Closing"]
    assert of(on.matter(201, stage=" "), 1001, kind) == ["Open"]
    assert of(Office(), 1001, kind) == []
    stage, status = tag(on, 1001, "Discovery").grants[0], tag(on, 1010, "Open").grants[0]
    assert (stage.because, stage.source_id) == ("Stage or status of 00201-Moreno (open)", 21)
    assert (status.source_id, status.setting) == (0, "/tags/matter_tag")


def test_location_tags_come_from_the_address_listed_first():
    # TG-15, DM-8
    places = {
        f"tags__location__{part}": True for part in ("city", "state", "postal_code", "country")
    }
    assert of(Office().with_settings(**places), 1001, Category.LOCATION) == [
        "27601",
        "NC",
        "Raleigh",
        "US",
    ]
    for path, label in zip(places, ("Raleigh", "NC", "27601", "US"), strict=True):
        one = Office().with_settings(**{path: True})
        assert of(one, 1001, Category.LOCATION) == [label]
        [grant] = tag(one, 1001, label).grants
        assert grant.setting == "/" + path.replace("__", "/")
        assert grant.source_id == 1001
    [code] = tag(Office().with_settings(**places), 1001, "27601").grants
    assert code.because == "Postal code of the primary address"
    assert of(Office().with_settings(**places), 1002, Category.LOCATION) == []
    bare = (
        Office()
        .with_settings(**places)
        .contact(1001, addresses=(Address(street="1 Elm", city=" "),))
    )
    assert of(bare, 1001, Category.LOCATION) == []


def test_a_city_that_is_named_as_its_state_is_one_tag():
    # TG-21
    office = Office().with_settings(tags__location__city=True, tags__location__state=True)
    york = Address(city="New York", province="new  york")
    both = office.contact(1001, addresses=(york,))
    assert of(both, 1001, Category.LOCATION) == ["New York"]
    moved = office.contact(1001, addresses=(Address(city="Albany", province="New York"),))
    assert of(moved, 1001, Category.LOCATION) == ["Albany", "New York"]


def test_every_contact_is_either_personal_or_represents_a_company():
    # TG-16, TG-17, C-6
    kind = Category.PERSONAL_COMPANY
    assert of(Office(), 1001, kind) == ["Personal"]
    assert of(Office(), 1007, kind) == ["Company"]
    both = Office().matter(300, client_id=1007)
    assert of(both, 1007, kind) == ["Company"]
    assert tag(both, 1007, "Active Client").grants[0].matter_ids == (207, 300)
    flagged = Office().without_matters(207)
    assert of(flagged, 1007, kind) == ["Company"]
    strangers = flagged.contact(2001, is_client=False).contact(1007, is_client=True)
    assert of(strangers, 1007, kind) == ["Personal"]
    by_matter = Office().contact(2001, is_client=False)
    assert of(by_matter, 1007, kind) == ["Company"]


def test_without_representatives_people_have_only_their_own_matters():
    # C-6, row 2
    office = Office().with_settings(tags__company_representatives=Representatives.NONE)
    assert not office.assess(1007).scope.in_scope
    own = office.matter(300, client_id=1007, status=CLOSED)
    assert own.labels(1007) == ["Clio", "Person", "Client", "Past Client", "Personal"]


def test_a_company_that_no_login_sees_has_the_name_in_the_persons_record():
    office = Office(contacts={1007: Office().contacts[1007]}).contact(1007, company_name="Bakery")
    [grant] = tag(office, 1007, "Company").grants
    assert grant.because == "Represents Bakery, the client of 00207-Northwind"
    [grant] = tag(office.contact(1007, company_name=None), 1007, "Company").grants
    assert grant.because == "Represents a company, the client of 00207-Northwind"


ATTORNEYS = [  # TG-18
    (1001, "responsible_attorney", AttorneyTags.NONE, []),
    (1001, "responsible_attorney", AttorneyTags.MOST_RECENT, ["Responsible Attorney: Ann Harlow"]),
    (
        1001,
        "responsible_attorney",
        AttorneyTags.ALL,
        ["Responsible Attorney: Ann Harlow", "Responsible Attorney: Ben Pike"],
    ),
    (1001, "originating_attorney", AttorneyTags.ALL, ["Originating Attorney: Ben Pike"]),
    (1002, "originating_attorney", AttorneyTags.ALL, []),
    (1004, "responsible_attorney", AttorneyTags.MOST_RECENT, ["Responsible Attorney: Dana Voss"]),
    (1007, "responsible_attorney", AttorneyTags.MOST_RECENT, ["Responsible Attorney: Ben Pike"]),
    (1003, "responsible_attorney", AttorneyTags.MOST_RECENT, ["Responsible Attorney: Ben Pike"]),
]


@pytest.mark.parametrize(("clio_id", "role", "chosen", "expected"), ATTORNEYS)
def test_attorneys_make_tags_in_levitate_or_not(clio_id, role, chosen, expected):
    office = Office().with_settings(**{f"tags__{role}": chosen})
    assert of(office, clio_id, Category.ATTORNEY) == expected
    if expected:
        grant = tag(office, clio_id, expected[0]).grants[0]
        assert (grant.rule, grant.setting) == (role, f"/tags/{role}")
        assert grant.matter_ids
        assert grant.because.startswith(role.replace("_", " ").capitalize())
        assert grant.source_id in {501, 502, 504}


def test_the_most_recent_attorney_is_of_any_status_and_ignores_the_preference_for_open():
    # TG-18, C-17, row 8
    office = Office().with_settings(
        tags__responsible_attorney=AttorneyTags.MOST_RECENT, ownership__prefer_open=True
    )
    office = office.matter(202, updated_at=at("2026-03-03"))
    assert of(office, 1001, Category.ATTORNEY) == ["Responsible Attorney: Ben Pike"]


def test_an_attorney_without_a_name_gives_no_tag_and_no_other_attorney_is_used():
    office = Office().matter(201, responsible=Attorney(501))
    latest = office.with_settings(tags__responsible_attorney=AttorneyTags.MOST_RECENT)
    assert of(latest, 1001, Category.ATTORNEY) == []
    every = office.with_settings(tags__responsible_attorney=AttorneyTags.ALL)
    assert of(every, 1001, Category.ATTORNEY) == ["Responsible Attorney: Ben Pike"]


def test_a_matter_without_an_area_does_not_hide_the_others():
    office = Office().matter(300, client_id=1001, updated_at=at("2026-03-03"))
    assert office.assess(1001).owner is not None
    assert of(office, 1001, Category.PRACTICE_AREA) == ["Family Law"]
