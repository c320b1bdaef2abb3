"""What was left out must not blank what is known (I4, F19)."""

from typing import Any, cast

import pytest

from app.db.leases import Lease
from app.db.mirror import View
from app.sync import Services
from app.sync.pull import CONTACTS, MATTERS, Listing, Puller, view_of
from tests.scripted import Case, page


def seen(*, dropped: str = "", listing: Listing = CONTACTS) -> bool:
    case = Case(page())
    case.client.dropped.update([dropped] if dropped else [])
    nothing = cast(Any, None)  # neither services nor lease are looked at
    view = View("hp", "cn", full_view=True)
    puller = Puller(cast(Services, nothing), case.client, cast(Lease, nothing), view)
    return view_of(puller, listing).full_view


@pytest.mark.parametrize(
    ("full", "given"),
    [
        (True, {}),
        (False, {"dropped": "contacts.custom_field_values"}),
        (True, {"dropped": "matters.category"}),
        (False, {"dropped": "matters.category", "listing": MATTERS}),
    ],
)
def test_a_page_asked_for_without_a_field_is_a_narrower_view(full: bool, given: dict[str, Any]):
    assert seen(**given) is full
