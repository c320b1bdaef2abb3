"""`docs/security/asvs.csv` judges each requirement of OWASP ASVS 5.0 up to level 2; the tests that it names exist."""

import ast
import csv
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
SHEET = ROOT / "docs" / "security" / "asvs.csv"
REQUIREMENTS = (ROOT / "tests" / "data" / "asvs-5.0-level-2.txt").read_text().split()
COLUMNS = ["requirement", "level", "topic", "applies", "reason", "tests"]
MOST_WORDS = 12  # of a topic

Row = dict[str, str]


def read_rows() -> list[Row]:
    with SHEET.open(encoding="utf-8", newline="") as sheet:
        return list(csv.DictReader(sheet))


ROWS = read_rows()


@cache
def functions_of(path: Path) -> set[str]:
    tree = ast.parse(path.read_text())
    functions = (ast.FunctionDef, ast.AsyncFunctionDef)
    return {node.name for node in ast.walk(tree) if isinstance(node, functions)}


def faults_of(row: Row) -> list[str]:
    """Return what is wrong with a row: an unknown verdict, no reason, or a test too many or too few."""
    faults = []
    if row["applies"] not in ("yes", "no", "operator", "gap"):
        faults.append("`applies` is unknown")
    if row["level"] not in ("1", "2"):
        faults.append("`level` is unknown")
    if not 0 < len(row["topic"].split()) <= MOST_WORDS:
        faults.append(f"the topic has no words, or more than {MOST_WORDS}")
    if not row["reason"]:
        faults.append("there is no reason")
    if bool(row["tests"]) != (row["applies"] == "yes"):
        faults.append("what applies and is met names tests, and nothing else does")
    return faults


def is_missing(test: str) -> bool:
    """Return whether a test does not exist: a file below `tests/`, with or without a function in it."""
    file, _, function = test.partition("::")
    path = ROOT / file
    if not file.startswith("tests/") or not path.is_file():
        return True
    return bool(function) and function not in functions_of(path)


def test_the_sheet_has_each_requirement_once_and_in_order():
    assert [row["requirement"] for row in ROWS] == REQUIREMENTS
    assert len(set(REQUIREMENTS)) == len(REQUIREMENTS) == 253


def test_the_sheet_is_plain_csv():
    text = SHEET.read_bytes().decode("utf-8")
    assert text.splitlines()[0] == ",".join(COLUMNS)
    assert "\r" not in text
    assert text.count("\n") == len(ROWS) + 1, "each row is one line"
    assert all(list(row) == COLUMNS and None not in row.values() for row in ROWS)


def test_each_row_has_a_verdict_a_reason_and_tests_where_it_is_met():
    wrong = [f"{row['requirement']}: {fault}" for row in ROWS for fault in faults_of(row)]
    assert not wrong, "\n".join(wrong)


def test_each_named_test_exists():
    missing = [
        f"{row['requirement']}: {test}"
        for row in ROWS
        for test in row["tests"].split()
        if is_missing(test)
    ]
    assert not missing, "\n".join(["these tests do not exist:", *missing])


GOOD = {"level": "1", "topic": "Cookies", "applies": "yes", "reason": "x", "tests": "tests/a.py"}


@pytest.mark.parametrize(
    ("change", "count"),
    [
        ({}, 0),
        ({"applies": "perhaps", "tests": ""}, 1),
        ({"level": "3"}, 1),
        ({"topic": "word " * 13}, 1),
        ({"topic": ""}, 1),
        ({"reason": ""}, 1),
        ({"tests": ""}, 1),
        *(({"applies": verdict}, 1) for verdict in ("no", "operator", "gap")),
        *(({"applies": verdict, "tests": ""}, 0) for verdict in ("no", "operator", "gap")),
    ],
)
def test_the_check_of_rows_notices_what_is_wrong(change: Row, count: int):
    assert len(faults_of({**GOOD, **change})) == count


@pytest.mark.parametrize(
    ("test", "is_noticed"),
    [
        ("tests/unit/test_crypto.py", False),
        ("tests/unit/test_crypto.py::test_a_flipped_bit_or_another_key_opens_nothing", False),
        ("tests/unit/test_crypto.py::test_of_nothing", True),
        ("tests/unit/test_nothing.py", True),
        ("tests/unit", True),
        ("app/crypto.py::new_key", True),
    ],
)
def test_the_check_of_tests_notices_what_does_not_exist(test: str, is_noticed: bool):
    assert is_missing(test) is is_noticed
