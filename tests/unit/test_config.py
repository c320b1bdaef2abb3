"""The configuration from environment variables, and one clear line for each mistake."""

from dataclasses import asdict
from datetime import timedelta
from typing import Any

import pytest
from pydantic import SecretStr, ValidationError

from app import config, main
from app.config import Config
from app.db.connection import Address
from app.sync import run

SERVER, POOLER = "postgresql://levitate:hush@server/levitate", "postgresql://levitate:hush@pooler/x"


def lines(**given: Any) -> list[str]:
    with pytest.raises(ValidationError) as caught:
        Config(**given)
    return config.describe_errors(caught.value)


def test_without_variables_the_documented_defaults_apply(monkeypatch):
    for name in ("PUBLIC_URL", "SLOTS", "DATA_DIR"):
        monkeypatch.delenv(f"LEVITATE_CLIO_{name}", raising=False)
    found = Config()
    assert found.slot_list() == ("06:00", "18:00")
    assert (found.slot_spread_seconds, found.api_rate, found.log_format) == (3600, 100, "json")
    assert found.encryption_keys is None
    assert found.regions == {}


def test_regions_are_read_from_nested_variables(monkeypatch):
    for name, value in {
        "CLIENT_ID": "id",
        "CLIENT_SECRET": "hush",
        "ORIGIN": "http://127.0.0.1:9",
    }.items():
        monkeypatch.setenv(f"LEVITATE_CLIO_REGIONS__EU__{name}", value)
    found = Config().regions["eu"]
    assert (found.client_id, found.origin) == ("id", "http://127.0.0.1:9")
    assert "hush" not in repr(found)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (
            {"slots": "6:00"},
            "LEVITATE_CLIO_SLOTS: must be a comma-separated list of HH:MM such as 06:00,18:00",
        ),
        (
            {"slots": "25:00"},
            "LEVITATE_CLIO_SLOTS: must be a comma-separated list of HH:MM such as 06:00,18:00",
        ),
        ({"slots": ""}, "LEVITATE_CLIO_SLOTS: must name at least one slot such as 06:00"),
        (
            {"database_url": "mysql://hush@x"},
            "LEVITATE_CLIO_DATABASE_URL: must begin with postgresql://",
        ),
        (
            {"database_url": POOLER, "database_pooler": "transaction"},
            "LEVITATE_CLIO_DIRECT_DATABASE_URL: is missing; set it to the address of the PostgreSQL server itself,"
            " because workers listen there",
        ),
        (
            {
                "database_url": POOLER,
                "database_pooler": "transaction",
                "direct_database_url": POOLER,
            },
            "LEVITATE_CLIO_DIRECT_DATABASE_URL: is the address of the pooler; set it to that of the PostgreSQL server",
        ),
        (
            {"database_url": POOLER, "direct_database_url": SERVER},
            "LEVITATE_CLIO_DIRECT_DATABASE_URL: is used only behind a pooler;"
            " set LEVITATE_CLIO_DATABASE_POOLER=transaction, or unset it",
        ),
        (
            {"database_pooler": "transaction", "direct_database_url": SERVER},
            "LEVITATE_CLIO_DATABASE_POOLER: is set without LEVITATE_CLIO_DATABASE_URL;"
            " set that to the pooler's address",
        ),
        (
            {"database_url": POOLER, "database_pooler": "session"},
            "LEVITATE_CLIO_DATABASE_POOLER: should be 'none' or 'transaction'",
        ),
        (
            {"public_url": "https://x.test/path"},
            "LEVITATE_CLIO_PUBLIC_URL: must be an origin such as https://app.example.com, with no path",
        ),
        (
            {"regions": {"us": {"client_id": "x"}}},
            "LEVITATE_CLIO_REGIONS__US__CLIENT_SECRET: is missing; set it",
        ),
        (
            {"retention_events_days": 3},
            "LEVITATE_CLIO_RETENTION_EVENTS_DAYS: should be greater than or equal to 7",
        ),
    ],
    ids=[
        "short slot",
        "no hour",
        "no slot",
        "other database",
        "no direct address",
        "equal addresses",
        "no pooler",
        "pooler of nothing",
        "other pooler",
        "path",
        "no secret",
        "too few days",
    ],
)
def test_a_mistake_is_one_line_that_says_what_to_do(given, expected):
    assert lines(**given) == [expected]


def test_an_address_has_a_direct_one_for_what_needs_it_and_shows_neither():
    direct, pooled = Address(SERVER), Address(POOLER, past_pooler=SERVER)
    assert (direct.url, direct.direct) == (SERVER, SERVER)
    assert (pooled.url, pooled.direct) == (POOLER, SERVER)
    assert "hush" not in f"{direct!r} {pooled!r}"


def test_each_retention_period_has_its_variable():
    days = {"runs": 401, "activities": 402, "attempts": 31, "events": 32, "audit": 2556}
    given: dict[str, Any] = {f"retention_{name}_days": n for name, n in days.items()}
    found = main._periods(Config(**given))
    assert asdict(found) == {name: timedelta(days=n) for name, n in days.items()}


def test_a_mistake_never_shows_the_value():
    assert "hush" not in "".join(
        lines(database_url="mysql://hush", slots="hush", service_token="hush")
    )


@pytest.mark.parametrize("token", ["x" * 32, "abababab" * 8, "1234567" * 5])
def test_a_bootstrap_token_that_is_not_random_is_refused_without_being_shown(token: str):
    # T14: it would be among the first that somebody tries
    (line,) = lines(service_token=token)
    assert line.startswith(
        "LEVITATE_CLIO_SERVICE_TOKEN: has fewer than 8 different characters; set a random"
    )
    assert token not in line
    assert Config(service_token=SecretStr("12345678" * 4)).service_token is not None


@pytest.mark.parametrize(
    ("name", "is_of_a_region"),
    [
        ("SLOT", False),
        ("SLOTS__X", False),
        ("REGIONS__US__ORIGN", True),
        ("REGIONS__US__CLIENT_ID__X", True),
        ("REGIONS__UK__CLIENT_ID", True),
        ("REGIONS_US_ORIGIN", True),
        ("REGION__US__ORIGIN", True),
        ("REGIONS__US", True),
        ("REGIONS", True),
        ("regions__us__orign", True),
    ],
)
def test_a_typing_error_in_a_variable_name_is_found(monkeypatch, name: str, is_of_a_region: bool):
    # issue "docs": below REGIONS__ too, because without its origin a region is Clio's own host
    name = f"levitate_clio_{name}" if name.islower() else f"LEVITATE_CLIO_{name}"
    for right in (
        "LEVITATE_CLIO_SLOTS",
        "levitate_clio_slots",
        "LEVITATE_CLIO_REGIONS__AU__ORIGIN",
    ):
        monkeypatch.setenv(right, "x")
    monkeypatch.setenv(name, "x")
    assert config.find_unknown_variables() == [name]
    assert config.is_about_a_region(name) is is_of_a_region


@pytest.mark.parametrize(
    "value",
    ["http://a:99999", "http://[::1", "https://user:pw@host", "https://*.example.com"],
)
def test_an_origin_is_scheme_host_and_port_alone(value: str):
    wanted = "must be an origin such as https://app.example.com, with no path"
    assert lines(public_url=value) == [f"LEVITATE_CLIO_PUBLIC_URL: {wanted}"]
    assert lines(return_origins=f"https://x.test,{value}") == [
        f"LEVITATE_CLIO_RETURN_ORIGINS: {wanted}"
    ]


def test_return_origins_are_compared_as_browsers_write_them():
    found = Config(return_origins="https://App.Example.com:443/, http://[::1]:80")
    assert found.return_origin_list() == {"https://app.example.com", "http://[::1]"}


def test_by_default_the_run_of_a_dead_worker_is_taken_over_within_thirty_seconds():
    # S10, row 33: the lease expires, a worker polls the queue, then the run
    look_at_the_queue, look_again = 2.0, run.RETRY_WHEN_BUSY.total_seconds()
    lease = Config().heartbeat_seconds * main.LEASE_IN_HEARTBEATS
    assert lease + look_at_the_queue + look_again <= 30
    assert lease >= 2 * Config().heartbeat_seconds, "one late heartbeat loses no lease"
