"""A connection is bound to a Clio user of a region: Clio numbers the users of each region apart [AU-4, T3, T4]."""

import pytest

from app.db.connections.connections import ClioLogin, Connection, Status
from app.sync.connections.oauth_login import is_bound_to

LOGIN = ClioLogin(502, "Ben Pike", "ben@harlowpike.test", full_view=True)


def connected(region: str, login: ClioLogin | None) -> Connection:
    return Connection("hp", "cnx_1", "u_ben", region, Status.CONNECTED, login, None, None, None)


@pytest.mark.parametrize(
    ("connection", "region", "clio_user", "is_bound"),
    [
        (connected("us", LOGIN), "us", 502, True),
        (connected("us", LOGIN), "us", 501, False),
        (connected("us", LOGIN), "eu", 502, False),
        (connected("us", None), "us", 502, False),
    ],
)
def test_the_same_id_in_another_region_is_another_person(
    connection: Connection, region: str, clio_user: int, is_bound: bool
):
    # ASVS V6.8.1
    login = ClioLogin(clio_user, "Somebody", None, full_view=True)
    assert is_bound_to(connection, region, login) is is_bound
