"""The mapping from Clio users to Levitate users: OW-9, rows 6 and 48."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.rules.attorneys import ClioUser, LevitateUser, Login, Mapped, map_attorneys
from tests.rules.builders import at, cases

ANN, BEN = LevitateUser("u_ann", "Ann", "ann@x.test"), LevitateUser("u_ben", "Ben", "ben@x.test")
CAT = LevitateUser("u_cat", "Cat", "cat@x.test", active=False)
DIRECTORY = [ANN, BEN, CAT, LevitateUser("u_off", "Office", "")]


def login(user_id: str, day: str | None = "2026-03-01", *, works: bool = True) -> Login:
    return Login(501, user_id, works, at(day) if day else None)


BY_ANN, BY_BEN = Mapped("u_ann", "connection"), Mapped("u_ben", "connection")
CASES = [
    ("by e-mail", " ANN@X.test ", [], {}, Mapped("u_ann", "email")),
    ("by connection before e-mail", "ann@x.test", [login("u_ben")], {}, BY_BEN),
    (
        "by hand before all",
        "ann@x.test",
        [login("u_ann")],
        {501: "u_ben"},
        Mapped("u_ben", "manual"),
    ),
    ("a manual nobody", "ann@x.test", [login("u_ann")], {501: None}, Mapped(None, "manual")),
    ("by hand to one who is inactive", None, [], {501: "u_cat"}, Mapped("u_cat", "manual")),
    ("by hand to one who has left", "ann@x.test", [login("u_ben")], {501: "u_old"}, BY_BEN),
    ("no match", "other@x.test", [], {}, None),
    ("no address", None, [], {}, None),
    ("a blank address", " ", [], {}, None),
    (
        "an address with invisible characters",
        "an\u200bn@x.test\ufeff",
        [],
        {},
        Mapped("u_ann", "email"),
    ),
    ("an address with a line break", "ann@x.test\r\nBcc: b@x.test", [], {}, None),
    # row 48
    ("a login that needs a reconnect", None, [login("u_ben", works=False)], {}, BY_BEN),
    ("the login of an inactive user", None, [login("u_cat")], {}, None),
    (
        "the address before an inactive user's login",
        "ann@x.test",
        [login("u_cat")],
        {},
        Mapped("u_ann", "email"),
    ),
    ("the login of one who has left", None, [login("u_old")], {}, None),
    (
        "a login that works before a newer one that does not",
        None,
        [login("u_ann", "2026-03-01"), login("u_ben", "2026-03-02", works=False)],
        {},
        BY_ANN,
    ),
    (
        "the latest of those that work",
        None,
        [login("u_ben", "2026-03-02"), login("u_ann", "2026-03-01")],
        {},
        BY_BEN,
    ),
    (
        "the latest of those that do not work",
        None,
        [login("u_ann", "2026-03-02", works=False), login("u_ben", "2026-03-01", works=False)],
        {},
        BY_ANN,
    ),
    (
        "the latest of an active user",
        None,
        [login("u_ann", "2026-03-01", works=False), login("u_cat", "2026-03-02")],
        {},
        BY_ANN,
    ),
    ("a login without a time", None, [login("u_ben", None), login("u_ann")], {}, BY_ANN),
]


@pytest.mark.parametrize(("email", "logins", "manual", "expected"), cases(CASES))
def test_a_clio_user_is_mapped_by_hand_then_connection_then_address(
    email, logins, manual, expected
):
    found = map_attorneys([ClioUser(501, email=email)], DIRECTORY, logins=logins, manual=manual)
    assert found.get(501) == expected


def test_an_address_that_two_users_share_matches_nobody():
    twin = LevitateUser("u_two", "Two", "ANN@x.test")
    found = map_attorneys([ClioUser(501, email="ann@x.test")], [ANN, twin], logins=[], manual={})
    assert found == {}


def test_a_connected_or_mapped_clio_user_does_not_need_to_be_listed():
    logins = [Login(7, "u_ann", True, None)]
    found = map_attorneys([], [ANN], logins=logins, manual={8: "u_ann"})
    assert found == {7: Mapped("u_ann", "connection"), 8: Mapped("u_ann", "manual")}


LOGINS = st.builds(
    Login,
    st.sampled_from([501, 502]),
    st.sampled_from(["u_ann", "u_ben", "u_cat", "u_old"]),
    st.booleans(),
    st.none() | st.datetimes(datetime(2026, 1, 1), datetime(2026, 1, 3), timezones=st.just(UTC)),  # noqa: DTZ001
)


@given(st.lists(LOGINS, max_size=6), st.randoms())
def test_the_strongest_login_of_an_active_user_decides_whatever_their_order(logins, random):
    # row 48
    shuffled = random.sample(logins, len(logins))
    found, again = (
        map_attorneys([], DIRECTORY, logins=some, manual={}) for some in (logins, shuffled)
    )
    assert found == again
    of_active = [one for one in logins if one.user_id in ("u_ann", "u_ben")]
    assert found.keys() == {one.clio_user_id for one in of_active}
    for clio_id, mapped in found.items():
        mine = [one for one in of_active if one.clio_user_id == clio_id]
        best = max(
            mine, key=lambda one: (one.works, one.connected_at or datetime.min.replace(tzinfo=UTC))
        )
        chosen = [one for one in mine if one.user_id == mapped.user_id]
        assert any(
            (one.works, one.connected_at) == (best.works, best.connected_at) for one in chosen
        )
