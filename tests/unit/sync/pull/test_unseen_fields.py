"""What Clio stopped knowing must not blank what is known (I4, F19)."""

from typing import Any, cast

import pytest

from app.db.mirror.visibility import View
from app.db.runs.leases import Lease
from app.rules.records import ContactRecord, MatterRecord
from app.sync.pull.listings import CONTACTS, MATTERS, Listing
from app.sync.pull.reader import _FIELDS_OF, ConnectionReader, view_of
from app.sync.services import Services
from tests.support.scripted_clio import Case, page


def unseen(listing: Listing, *dropped: str) -> set[str]:
    case = Case(page())
    case.client.dropped.update(dropped)
    nothing = cast(Any, None)  # neither services nor lease are looked at
    view = View("hp", "cn", full_view=True)
    puller = ConnectionReader(cast(Services, nothing), case.client, cast(Lease, nothing), view)
    return set(view_of(puller, listing).unseen)


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
def test_of_fields_that_clio_stopped_knowing_a_view_says_nothing(
    listing: Listing, dropped: tuple[str, ...], fields: set[str]
):
    assert unseen(listing, *dropped) == fields


def test_every_field_that_may_be_dropped_is_known_by_what_it_would_blank():
    for listing, record in ((CONTACTS, ContactRecord), (MATTERS, MatterRecord)):
        for name in listing.resource.droppable:
            blanked = _FIELDS_OF[f"{listing.name}.{name}"]
            assert set(blanked) <= set(record.__dataclass_fields__)
