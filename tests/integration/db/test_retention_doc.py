"""docs/retention.md has every table of the database, and says of each who deletes its rows [S16, T15]."""

import re
from pathlib import Path

import asyncpg

from app.config import Config
from app.db import retention, tables
from tests.e2e.test_person_erasure import PERSON_COLUMNS

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "retention.md").read_text()
THREATS = (ROOT / "docs" / "security" / "threat-model.md").read_text()
HASHED = {"cookie_hash", "secret_hash", "state_hash", "token_hash"}
PERSONAL = {
    *PERSON_COLUMNS, "body", "clio_hash", "clio_id", "clio_ids", "clio_user_id", "details", "email", "record",
    "source_address", "subject", "subject_id",
}  # fmt: skip
ROWS = [
    [cell.strip() for cell in line.strip("| ").split(" | ")]
    for line in PAGE.split("## Tables")[1].split("\n\n")[1].splitlines()[2:]
]


def quoted(text: str) -> list[str]:
    return re.findall(r"`([^`]+)`", text)


async def test_every_table_of_the_database_has_one_row(dsn: str):
    connection = await asyncpg.connect(dsn)
    try:
        found = await connection.fetch(
            "select relname from pg_class where relkind in ('r', 'p')"
            " and relnamespace not in ('pg_catalog'::regnamespace, 'information_schema'::regnamespace)"
            " and relname not like 'pg_toast%'"
        )
    finally:
        await connection.close()
    documented = [name for row in ROWS for name in quoted(row[0])]
    assert sorted(documented) == sorted(row["relname"] for row in found)


def test_every_row_says_what_is_held_how_long_and_who_deletes_it():
    for row in ROWS:
        assert len(row) == 5, row
        assert all(row), row


def test_every_table_has_a_level_that_the_threat_model_explains():
    # ASVS V14.1.1, V14.1.2
    table = THREATS.split("| level | what has it")[1].split("\n\n")[0]
    levels = re.findall(r"^\| (\w+) \|", table, flags=re.MULTILINE)
    assert levels == ["secret", "confidential", "internal"]
    assert {row[4] for row in ROWS} == set(levels)


def test_a_table_with_a_secret_is_secret_and_one_that_names_a_person_is_no_less_than_confidential():
    # ASVS V14.1.1
    levels = {name: row[4] for row in ROWS for name in quoted(row[0])}
    secret, person = set(), set()
    for name, table in tables.metadata.tables.items():
        columns = {*table.columns.keys()}
        if any(column.startswith("sealed_") for column in columns) or columns & HASHED:
            secret.add(name)
        elif columns & PERSONAL:
            person.add(name)
    assert {name for name, level in levels.items() if level == "secret"} == secret
    assert len(person) > 15
    assert {name for name in person if levels[name] != "confidential"} == set()


def test_every_daily_deletion_is_named_and_no_other():
    deleted_by = {name for row in ROWS for name in quoted(row[3])}
    tasks = {name for name in deleted_by if "/" not in name and name != "migrate"}
    assert tasks == set(retention.TABLES)
    for path in deleted_by - tasks - {"migrate"}:
        assert (ROOT / path).exists(), path


def test_the_periods_are_those_of_the_code():
    defaults = {
        name.removeprefix("retention_").upper(): field.default
        for name, field in Config.model_fields.items()
        if name.startswith("retention_")
    }
    documented = re.findall(r"`(\w+_DAYS)` \(([\d,]+) days\)", PAGE)
    assert {name: int(days.replace(",", "")) for name, days in documented} == defaults
    days = {
        name: expiry.life(retention.Periods()).days for name, expiry in retention.TABLES.items()
    }
    for name, number in days.items():
        (row,) = [row for row in ROWS if name in quoted(row[3])]
        words = {0: "until the run", 1: "a day", 365: "a year"}
        assert words.get(number, f"{number:,} days") in f"{row[2]} {row[3]}", (name, row)


def test_what_the_receipt_of_a_person_lists_is_explained():
    source = (ROOT / "app" / "sync" / "contact_erasure.py").read_text()
    codes = set(re.findall(r'"(kept_\w+)"', source))
    assert len(codes) == 4
    assert codes == set(re.findall(r"^\| `(kept_\w+)`", PAGE, flags=re.MULTILINE))
