"""Tests of the time at which tokens are refreshed: early, but not before every request."""

from datetime import timedelta

import pytest
from pydantic import SecretStr

from app.clio.oauth import Tokens
from app.sync.connections.tokens import _refresh_at
from tests.support.scripted_clio import NOW


@pytest.mark.parametrize(
    ("life", "refreshed_after"),
    [
        (timedelta(days=30), timedelta(days=30, minutes=-10)),
        (timedelta(hours=1), timedelta(minutes=50)),
        (timedelta(minutes=20), timedelta(minutes=10)),
        (timedelta(minutes=10), timedelta(minutes=5)),  # F10: shorter than Clio documents
        (timedelta(seconds=5), timedelta(seconds=2.5)),
    ],
)
def test_a_token_is_refreshed_ten_minutes_early_or_at_half_of_a_short_life(
    life: timedelta, refreshed_after: timedelta
):
    assert (
        _refresh_at(Tokens(SecretStr("a"), SecretStr("r"), NOW + life), NOW)
        == NOW + refreshed_after
    )


def test_an_expired_token_is_refreshed_immediately():
    assert _refresh_at(Tokens(SecretStr("a"), SecretStr("r"), NOW - timedelta(hours=1)), NOW) <= NOW
