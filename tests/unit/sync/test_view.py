"""What was left out or kept back must not blank what is known (I4, F19)."""

from typing import Any, cast

import pytest

from app.clio import models
from app.clio.resources import Page
from app.db.leases import Lease
from app.db.mirror import View
from app.sync import Services
from app.sync.pull import CONTACTS, MATTERS, Listing, Puller, view_of
from tests.scripted import NOW, Case, page

TOLD = {"id": "x-1", "value": "y", "field_name": "Tier", "field_type": "text_line"}
KEPT_BACK = {"id": "x-1", "value": None, "field_name": None, "field_type": None}


def seen(*values: dict[str, Any], dropped: str = "", listing: Listing = CONTACTS) -> bool:
    case = Case(page())
    case.client.dropped.update([dropped] if dropped else [])
    nothing = cast(Any, None)  # neither services nor lease are looked at
    view = View("hp", "cn", full_view=True)
    puller = Puller(cast(Services, nothing), case.client, cast(Lease, nothing), view)
    model = models.Contact.model_validate({"id": 1, "custom_field_values": values})
    items = (model,) if listing is CONTACTS else ()
    return view_of(puller, listing, Page(items, (), None, None, NOW)).full_view


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


def test_a_page_whose_custom_fields_were_kept_back_is_a_narrower_view():
    assert seen(TOLD)
    assert not seen(TOLD, KEPT_BACK)
    assert seen({**KEPT_BACK, "id": None})
