"""Time zones of accounts: those of the IANA database that name a place, or UTC."""

from zoneinfo import ZoneInfo, available_timezones

import pytest
from pydantic import TypeAdapter, ValidationError

from app.api.schemas.base import TimeZone

ZONE: TypeAdapter[str] = TypeAdapter(TimeZone)
REFUSED = [
    "Factory", "localtime", "posixrules", "posix/America/New_York", "right/America/New_York", "Etc/GMT+5", "Etc/GMT-14",
    "Etc/Unknown", "EST", "EST5EDT", "CET", "GMT+0", "america/new_york", "AMERICA/NEW_YORK", "utc", "/America/New_York",
    "America/New_York/", "America/../Factory", "../UTC", "America", "America/", "America/Nowhere", "", " UTC",
    "UTC\n", "+05:00", "UTC+5", "A\x00",
]  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_a_name_without_a_place_is_refused(name: str):
    with pytest.raises(ValidationError) as refused:
        ZONE.validate_python(name)
    assert "names a place; send one such as America/New_York, or UTC" in str(refused.value)


@pytest.mark.parametrize(
    "name",
    ["America/New_York", "America/Argentina/Ushuaia", "America/Port-au-Prince", "Pacific/Auckland",
     "Arctic/Longyearbyen",
     "Antarctica/Troll", "Australia/Lord_Howe", "Asia/Calcutta", "US/Eastern", "Canada/Atlantic", "GB", "NZ-CHAT",
     "Europe/Kyiv", "UTC", "Etc/UTC", "GMT"],
)  # fmt: skip
def test_a_place_or_utc_is_accepted(name: str):
    assert ZONE.validate_python(name) == name


def test_of_the_database_only_offsets_rules_and_placeholders_are_refused():
    refused = set()
    for name in available_timezones():
        try:
            ZoneInfo(ZONE.validate_python(name))
        except ValidationError:
            refused.add(name)
    offsets = {
        name for name in refused if name.startswith("Etc/GMT") or name in ("GMT+0", "GMT-0", "GMT0")
    }
    rules = {
        "EST",
        "MST",
        "HST",
        "EST5EDT",
        "CST6CDT",
        "MST7MDT",
        "PST8PDT",
        "CET",
        "MET",
        "EET",
        "WET",
    }
    assert refused - offsets - rules <= {"Factory", "localtime"}
