"""The golden table of requirements.md section 1: default settings, first run."""

import pytest

from app.rules import diff, view
from app.rules.results import Basis, ChangeKind
from tests.rules.builders import ALL_SEVEN, Office

DEFAULT = ["Clio", "Person", "Client"]
GOLDEN = {  # CS-2, TG-2..TG-9, TG-16, TG-17, TG-19, OW-1, OW-4..OW-8
    1001: ([*DEFAULT[:2], "Active Client", "Client", "Family Law", "Personal"], ("u_ann", 201)),
    1002: ([*DEFAULT, "Past Client", "Personal"], ("u_ann", 203)),
    1003: ([*DEFAULT, "Pending Client", "Personal"], ("u_ben", 205)),
    1004: ([*DEFAULT, "Pending Client", "Personal"], ("u_ann", 206)),
    1007: ([*DEFAULT[:2], "Active Client", "Client", "Business Law", "Company"], ("u_ben", 207)),
    1008: ([*DEFAULT, "Personal"], ("u_off", None)),
    1010: ([*DEFAULT[:2], "Active Client", "Client", "Personal Injury", "Personal"], ("u_ben", 210)),
}  # fmt: skip


@pytest.mark.parametrize("clio_id", GOLDEN)
def test_each_contact_of_the_golden_table_has_its_tags_and_owner(clio_id):
    labels, (owner, matter_id) = GOLDEN[clio_id]
    found = Office().assess(clio_id)
    assert [tag.label for tag in found.tags] == labels
    assert found.owner is not None
    assert (found.owner.user_id, found.owner.matter_id) == (owner, matter_id)
    assert not any(tag.restricted for tag in found.tags)


def test_all_other_contacts_are_out_of_scope():
    assert Office().in_scope() == set(ALL_SEVEN)  # CS-2, CS-7: not 1005, 1006, 1009, 2001


def test_seven_new_clients_are_found():
    # NC-1, NC-2
    found = {clio_id: Office().assess(clio_id).client for clio_id in Office().contacts}
    clients = {clio_id: client for clio_id, client in found.items() if client is not None}
    assert set(clients) == set(ALL_SEVEN)
    assert clients[1007].basis is Basis.COMPANY
    assert {clients[clio_id].basis for clio_id in ALL_SEVEN if clio_id != 1007} == {Basis.FLAG}


def test_a_contact_that_was_never_in_scope_is_never_sent_to_levitate():
    for clio_id in (1005, 1006, 1009, 2001):
        assert view(None, Office().assess(clio_id)) is None


def test_a_contact_in_scope_is_added_with_all_tags():
    after = view(None, Office().assess(1001))
    assert after is not None
    change = diff(None, after)
    assert change is not None
    assert change.kind is ChangeKind.ADDED
    assert change.tags_added == tuple(GOLDEN[1001][0])
    assert change.tags_removed == ()
    assert not {"state", "state_reason"} & change.fields.keys()
    assert change.fields["title"] == (None, "Teacher")
