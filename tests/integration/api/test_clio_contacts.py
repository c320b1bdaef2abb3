"""Clio's contacts in an account without a login: nothing was pulled."""

import pytest

from tests.support.world import World

URL = "/v1/accounts/hp/clio-contacts"


@pytest.mark.parametrize("clio_id", ["0", "-1", "x", "1" * 30])
async def test_what_is_no_id_is_refused(api: World, clio_id: str):
    assert (await api.api.get(f"{URL}/{clio_id}")).json()["code"] == "invalid_request"


async def test_before_a_login_is_connected_the_answer_says_to_connect_one(api: World):
    answer = (await api.api.get(f"{URL}/1001")).json()
    assert answer["code"] == "not_pulled"
    assert "connect a user" in answer["detail"]
