"""Tests of the conditions for a new-client row: NC-1..3, rows 18..20."""

from datetime import UTC, date, datetime

import pytest

from app.rules.new_clients import (
    HeldFor,
    Status,
    Suspect,
    duplicate_by_matter,
    initial_status,
    status_after_proof,
    suspects_in_order,
)
from app.rules.results import Basis, Client
from app.rules.settings import InitialSync, NewClientSettings, Representatives, Segment
from tests.rules.builders import OPEN, PENDING, Office

BASES = [  # row 19: flag before matter before company
    ({"is_client": True}, True, True, Basis.FLAG),
    ({}, True, True, Basis.MATTER),
    ({}, False, True, Basis.COMPANY),
]


@pytest.mark.parametrize(("changes", "own", "company", "basis"), BASES)
def test_the_strongest_basis_is_recorded(changes, own, company, basis):
    office = Office().contact(1007, **changes)
    office = office.matter(300, client_id=1007) if own else office
    client = office.assess(1007).client
    assert company
    assert client is not None
    assert client.basis is basis


DATES = [  # NC-2, row 19
    ({}, None),
    ({"open_date": date(2020, 5, 1)}, date(2020, 5, 1)),
    ({"open_date": date(2020, 5, 1), "pending_date": date(2020, 4, 1)}, date(2020, 4, 1)),
    (
        {"pending_date": date(2020, 4, 1), "created_at": datetime(2020, 3, 9, 23, tzinfo=UTC)},
        date(2020, 3, 9),
    ),
    ({"close_date": date(2019, 1, 1)}, None),
]


@pytest.mark.parametrize(("dates", "expected"), DATES)
def test_client_since_is_the_earliest_date_of_the_matters_that_count(dates, expected):
    office = Office().matter(203, **dates)
    assert office.assess(1002).client == Client(Basis.FLAG, expected, has_open_matter=False)


def test_the_matters_of_a_representative_include_those_of_the_company():
    # rows 2, 19
    office = Office().matter(207, open_date=date(2019, 1, 1))
    office = office.matter(300, client_id=1007, status=PENDING, pending_date=date(2021, 1, 1))
    found = office.assess(1007).client
    assert found == Client(Basis.MATTER, date(2019, 1, 1), has_open_matter=True)
    alone = office.with_settings(tags__company_representatives=Representatives.NONE)
    assert alone.assess(1007).client == Client(
        Basis.MATTER, date(2021, 1, 1), has_open_matter=False
    )


def test_a_contact_who_is_not_a_client_has_no_row_and_no_reason_to_wait():
    found = Office().with_settings(scope__include_non_clients=True).assess(1006)
    assert (found.client, found.client_waits) == (None, None)


def test_a_client_out_of_scope_has_no_row_yet():
    # row 18
    office = Office().with_settings(scope__segment=Segment((), ("Client",)))
    assert office.assess(1001).client is None


EMIT, HOLD, SUPPRESS = InitialSync
SENT, NEVER = (Status.EMITTED, None), (Status.SUPPRESSED, None)
AT_THE_END, BY_SETTING = (Status.HELD, HeldFor.RUN), (Status.HELD, HeldFor.SETTING)
DOUBLED, MERGED = (Status.HELD, HeldFor.DUPLICATE), (Status.HELD, HeldFor.MERGE)
STATUSES = [  # the first sync, its setting, duplicates are held, this is one, expected
    (True, EMIT, False, True, SENT),
    (True, EMIT, True, False, SENT),
    (True, EMIT, True, True, DOUBLED),
    (True, HOLD, True, True, BY_SETTING),  # it waits for a person in any case
    (True, HOLD, False, False, BY_SETTING),
    (True, SUPPRESS, True, True, NEVER),
    (False, SUPPRESS, False, True, AT_THE_END),
    (False, HOLD, True, False, AT_THE_END),
    (False, EMIT, True, True, DOUBLED),
]


@pytest.mark.parametrize(("initial", "choice", "held", "duplicate", "expected"), STATUSES)
def test_an_announcement_is_sent_held_or_suppressed(initial, choice, held, duplicate, expected):
    # NC-2, NC-6, S6, row 46: one that is suspected waits for Clio's answer first
    chosen = NewClientSettings(initial_sync=choice, hold_possible_duplicates=held)
    facts = {"initial": initial, "chosen": chosen, "duplicate": duplicate}
    assert initial_status(**facts, suspected=False) == expected
    assert initial_status(**facts, suspected=True) == MERGED
    assert status_after_proof(**facts, replaced=False) == expected
    assert status_after_proof(**facts, replaced=True) == NEVER


def test_the_settings_can_require_an_open_matter():
    # NC-3, row 20
    office = Office().with_settings(new_client__require_open_matter=True)
    waiting = office.assess(1004)
    assert waiting.client is None
    assert waiting.client_waits == "There is no open matter yet, and the settings require one"
    assert "Client" in office.labels(1004)
    opened = office.matter(206, status=OPEN).assess(1004)
    assert opened.client is not None
    assert opened.client_waits is None
    assert office.assess(1001).client is not None
    assert Office().assess(1004).client is not None


def test_there_is_no_row_while_the_client_tag_is_withheld():
    # NC-1, S7
    office = Office().ben_connects().with_settings(restricted_matters__withhold=True)
    assert office.assess(1008).client is not None
    unflagged = office.contact(1008, is_client=False).assess(1008)
    assert unflagged.scope.in_scope
    assert unflagged.client is None
    assert unflagged.client_waits == (
        "The Client tag is withheld because all matters behind it have limited permissions"
    )
    named = office.contact(1008, is_client=False).link(201, 1008, "Client")
    named = named.with_settings(tags__relationships__enabled=True)
    assert "Client" in named.labels(1008)
    assert named.assess(1008).client is None


def suspect(clio_id: int, *, matter: bool, same: bool) -> Suspect:
    return Suspect(clio_id, f"ncl_{clio_id}", matter, same)


def test_who_neither_had_a_matter_nor_looks_the_same_is_no_suspect_and_the_likeliest_is_first():
    # S6: a digest of an address may be one that the other client had once
    nobody = suspect(1, matter=False, same=False)
    moved, alike = suspect(2, matter=True, same=False), suspect(3, matter=False, same=True)
    both = suspect(4, matter=True, same=True)
    assert suspects_in_order([nobody, moved, alike, both]) == (both, alike, moved)
    assert duplicate_by_matter([moved, alike]) is None
    assert duplicate_by_matter([moved, alike, both]) == "ncl_4"
