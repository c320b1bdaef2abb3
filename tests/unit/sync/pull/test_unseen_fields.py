"""Fields that Clio no longer knows do not clear stored values (I4, F19)."""

from typing import Any, cast

import pytest

from app.db.connections.connections import Connection, Status
from app.db.runs.run_logins import RunLogin
from app.rules.records import ContactRecord, MatterRecord
from app.sync.pull.listings import CONTACTS, MATTERS, Listing
from app.sync.pull.reader import ConnectionReader, view_of
from tests.support.scripted_clio import Case, page

LISTS = (CONTACTS, MATTERS)
RECORDS: dict[str, Any] = {"contacts": ContactRecord, "matters": MatterRecord}


def unseen(listing: Listing, *dropped: str) -> set[str]:
    case = Case(page())
    case.client.dropped.update(dropped)
    nothing = cast(Any, None)  # services, lease and lander are not used
    login = RunLogin("cn", None, full_view=True)
    connection = Connection("hp", "cn", "u", "us", Status.CONNECTED, None, None, None, None)
    reader = ConnectionReader(nothing, case.client, nothing, nothing, connection, login)
    return set(view_of(reader, listing).unseen)


@pytest.mark.parametrize(
    ("listing", "dropped", "fields"),
    [
        (CONTACTS, (), set()),
        (CONTACTS, ("contacts.custom_field_values",), {"custom_values"}),
        (CONTACTS, ("contacts.title", "contacts.prefix"), {"title", "prefix"}),
        (CONTACTS, ("matters.category",), set()),
        (MATTERS, ("matters.category",), {"practice_area_category"}),
    ],
)
def test_a_view_has_no_values_for_fields_that_clio_no_longer_knows(
    listing: Listing, dropped: tuple[str, ...], fields: set[str]
):
    assert unseen(listing, *dropped) == fields


UNKNOWN_WITHOUT = {
    "contacts.prefix": {"prefix"},
    "contacts.middle_name": {"middle_name"},
    "contacts.title": {"title"},
    "contacts.date_of_birth": {"date_of_birth"},
    "contacts.custom_field_values": {"custom_values"},
    "contacts.picklist_option": {"custom_values"},
    "contacts.soft_deleted": {"custom_values"},
    "matters.matter_stage": {"stage_id", "stage"},
    "matters.group": {"group_id", "group_type"},
    "matters.type": {"group_type"},
    "matters.category": {"practice_area_category"},
    "matters.pending_date": {"pending_date"},
}


def test_each_field_that_clio_may_remove_names_the_fields_that_are_then_unknown():
    droppable = {f"{one.name}.{name}" for one in LISTS for name in one.resource.droppable}
    assert droppable <= UNKNOWN_WITHOUT.keys()
    for name, fields in UNKNOWN_WITHOUT.items():
        (listing,) = (one for one in LISTS if name.startswith(f"{one.name}."))
        assert unseen(listing, name) == fields
        assert fields <= set(RECORDS[listing.name].__struct_fields__)
