"""The mapping from Clio users to Levitate users: OW-9, row 6."""

import pytest

from app.rules.attorneys import ClioUser, LevitateUser, Mapped, map_attorneys
from tests.rules.builders import cases

ANN, BEN = LevitateUser("u_ann", "Ann", "ann@x.test"), LevitateUser("u_ben", "Ben", "ben@x.test")

CASES = [
    ("by e-mail", " ANN@X.test ", {}, {}, Mapped("u_ann", "email")),
    (
        "by connection before e-mail",
        "ann@x.test",
        {501: "u_ben"},
        {},
        Mapped("u_ben", "connection"),
    ),
    ("by hand before all", "ann@x.test", {501: "u_ann"}, {501: "u_ben"}, Mapped("u_ben", "manual")),
    ("a manual nobody", "ann@x.test", {501: "u_ann"}, {501: None}, Mapped(None, "manual")),
    ("no match", "other@x.test", {}, {}, None),
    ("no address", None, {}, {}, None),
    ("a blank address", " ", {}, {}, None),
    (
        "an address with invisible characters",
        "an\u200bn@x.test\ufeff",
        {},
        {},
        Mapped("u_ann", "email"),
    ),
    ("an address with a line break", "ann@x.test\r\nBcc: b@x.test", {}, {}, None),
]


@pytest.mark.parametrize(("email", "connected", "manual", "expected"), cases(CASES))
def test_a_clio_user_is_mapped_by_hand_then_connection_then_address(
    email, connected, manual, expected
):
    found = map_attorneys(
        [ClioUser(501, email=email)],
        [ANN, BEN, LevitateUser("u_off", "Office", "")],
        connected=connected,
        manual=manual,
    )
    assert found.get(501) == expected


def test_an_address_that_two_users_share_matches_nobody():
    twin = LevitateUser("u_two", "Two", "ANN@x.test")
    found = map_attorneys([ClioUser(501, email="ann@x.test")], [ANN, twin], connected={}, manual={})
    assert found == {}


def test_a_connected_or_mapped_clio_user_does_not_need_to_be_listed():
    found = map_attorneys([], [ANN], connected={7: "u_ann"}, manual={8: "u_ann"})
    assert found == {7: Mapped("u_ann", "connection"), 8: Mapped("u_ann", "manual")}
