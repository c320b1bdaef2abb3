"""The origin of a region may be changed for a test, but a token never goes out unencrypted or to a path (T1)."""

import pytest

from app.clio.regions import Region, check_origin, origin_of

REFUSED = [
    *("http://app.clio.com", "ftp://app.clio.com", "http://10.0.0.1", "http://localhost.evil.test"),
    *("https://app.clio.com/api", "https://app.clio.com?x", "https://app.clio.com#x", "app.clio.com", ""),
    *("https://", "https://user@app.clio.com", "https://user:pass@app.clio.com", "http://169.254.169.254"),
]  # fmt: skip


@pytest.mark.parametrize("origin", REFUSED)
def test_an_origin_without_encryption_or_with_more_than_a_host_is_refused(origin: str):
    with pytest.raises(ValueError, match="must"):
        check_origin(origin)


@pytest.mark.parametrize(
    "origin", ["http://127.0.0.1:9000", "http://[::1]:9000", "http://localhost:9000"]
)
def test_plain_http_is_for_this_machine(origin: str):
    assert check_origin(origin) == origin
    assert check_origin(f"{origin}/") == origin


@pytest.mark.parametrize("region", Region)
def test_clios_own_origins_are_accepted(region: Region):
    assert check_origin(origin_of(region)) == origin_of(region)
