"""Tests of the mutant sampler: the changes of a text, the random draw, and the tests that cover a change."""

import json
from pathlib import Path

import coverage
import pytest

from tests.mutants import copies
from tests.mutants.covering import LineCoverage
from tests.mutants.operators import OPERATORS, changes
from tests.mutants.recorder import FIXTURES, LINES, SHARED, TESTS
from tests.mutants.report import report
from tests.mutants.sample import ROUNDS, TESTS_AT_ONCE, Mutant
from tests.mutants.sampling import draw, sources
from tests.mutants.source import Source
from tests.mutants.trials import RunResult, Verdict
from tests.mutants.uses import Uses
from tests.mutants.words import TestWords, words_of

TREE = Path(__file__).parents[3]
ROOTS = ("app/sync", "app/db")
EVERY_KIND = b'''
"""A text about the module stays."""
LIMIT = 20
_names = {"first": LIMIT}
accounts = Table("accounts", Column("account_id", primary_key=True))


class Status(StrEnum):
    RUNNING = "running"


async def land(session, page, *, limit=LIMIT):
    """A text about the function stays."""
    if not page or (limit < 3 and page.done):
        raise Empty
    await hold(session)
    await keep(session, page, now=None)
    log.info("landed", page=page.number)
    rows = await session.execute(
        select(table)
        # of one account
        .where(table.c.account_id == page.account_id, table.c.open)
        .limit(limit + 1)
    )
    async with session.lock():
        done = f"{page.number + 1} {'a' if page else 'b'}"
    return rows, done
'''


def changed(text: bytes, kind: str) -> list[str]:
    """Return the lines that each change of a kind adds to a text."""
    source = Source("one.py", text)
    found = [change for change in changes(source) if change.kind == kind]
    assert all(map(source.is_valid, found))
    diffs = [source.diff(change).splitlines()[2:] for change in found]
    return ["\n".join(line[1:].strip() for line in d if line.startswith("+")) for d in diffs]


def test_every_kind_is_found_and_each_change_compiles_and_changes_the_meaning():
    source = Source("one.py", EVERY_KIND)
    found = list(changes(source))
    assert {change.kind for change in found} == {o.__name__.replace("_", " ") for o in OPERATORS}
    assert all(map(source.is_valid, found))


def test_each_change_of_the_real_code_compiles_and_changes_the_meaning():
    files = sources(TREE, ROOTS)
    for number, name in enumerate(sorted(files)):
        found = list(changes(files[name]))
        for change in found[number % 40 :: 40]:
            assert files[name].is_valid(change), files[name].diff(change)


@pytest.mark.parametrize(
    ("kind", "text", "after"),
    [
        ("negate", "if a and b: pass", ["if not (a and b): pass"]),
        ("negate", "if (not a): pass", ["if (a): pass"]),
        ("negate", "x = [y for y in z if y]", ["x = [y for y in z if not (y)]"]),
        ("compare", "x = (a) < (b)", ["x = (a) <= (b)", "x = (a) >= (b)"]),
        ("compare", "x = a is not None", ["x = a is None"]),
        ("connect", "x = a or (b) or c", ["x = a and (b) and c"]),
        ("connect", "x = a & ~b", []),
        ("calculate", "x = a & ~b", ["x = a | ~b"]),
        ("calculate", "x = ['a'] + b", []),
        ("alter", "x = f('a key', 'key', 1, True)", None),
        ("remove", "await f(x)", ["pass"]),
        ("remove", "raise", ["pass"]),
        ("remove", "log.info('landed')", []),
        ("remove", "with a(), b(c):\n    return 1", ["if True:"]),
        ("remove", "with a() as b:\n    return 1", []),
        ("forget", "x = y", ["x = None"]),
        ("forget", "return None", []),
        ("forget", "a, b = y", []),
        ("drop clause", "x = (q).where(a)", ["x = (q)"]),
        (
            "drop clause",
            "x = and_(a, b, c)",
            ["x = and_(b, c)", "x = and_(a, c)", "x = and_(a, b)"],
        ),
        ("drop keyword", "x = f(a, b=1, c=2)", ["x = f(a, c=2)", "x = f(a, b=1)"]),
        ("drop keyword", "x = f(b=1)", ["x = f()"]),
        ("drop keyword", "x = f(b=(1),)", ["x = f()"]),
        ("swap", "await a()\n  await b()", ["await b()"]),
        ("swap", "x = await a()\n  await b(x)", []),
        ("swap", "await a()\n  return await b()", []),
    ],
)
def test_each_kind_of_change_has_the_expected_result(kind: str, text: str, after: list[str] | None):
    body = f"async def f():\n  {text}\n".encode()
    if after is None:
        assert len(changed(body, kind)) == 3
    else:
        assert changed(body, kind) == after


def test_a_function_returns_early_after_its_docstring():
    text = b'def f():\n    """Text."""\n    return 1\n'
    assert changed(text, "return early") == ["return"]
    assert changed(b'def f():\n    """Text."""\n', "return early") == []


def test_a_draw_is_the_same_for_a_seed_and_has_each_line_once():
    files = {name: Source(name, EVERY_KIND) for name in ("one.py", "two.py")}
    drawn = draw(files, seed=3, count=30)
    assert drawn == draw(dict(reversed(files.items())), seed=3, count=30)
    assert drawn != draw(files, seed=4, count=30)
    assert len({(one.path, one.line) for one in drawn}) == len(drawn) > 15


def test_a_shorter_draw_is_the_start_of_a_longer_one():
    files = {"one.py": Source("one.py", EVERY_KIND)}
    assert draw(files, seed=1, count=5) == draw(files, seed=1, count=9)[:5]


def test_a_name_of_import_is_used_where_functions_read_it_also_through_another_name():
    uses = Uses(
        {
            "one.py": Source("one.py", b"LIMIT = 1\n_own = LIMIT\ndef f():\n    return _own\n"),
            "two.py": Source(
                "two.py", b"def g():\n    return _own\ndef h(a=one.LIMIT):\n    pass\n"
            ),
        }
    )
    assert uses.of("one.py", "LIMIT") == {("one.py", 4), ("two.py", 4)}
    assert uses.of("one.py", "_own") == {("one.py", 4)}


CODE = b"LIMIT = 1\ndef f(a):\n    if a:\n        return LIMIT\n    return 2\n"
LINES_OF = {
    "t.py::wide": {"one.py": [3, 5], "other.py": [1, 2, 3, 4, 5, 6, 7, 8]},
    "t.py::narrow": {"one.py": [3, 4]},
    "t.py::failing": {"one.py": [3, 4, 5]},
    "t.py::shares": {"other.py": [1]},
    f"{SHARED}t.py:world": {"one.py": [5]},
    **{f"t.py::z_case[{number}]": {"one.py": [3]} for number in range(5)},
}


@pytest.fixture
def covering(tmp_path: Path) -> LineCoverage:
    data = coverage.CoverageData(basename=str(tmp_path / LINES))
    for context, lines in LINES_OF.items():
        data.set_context(context)
        data.add_lines(lines)
    data.write()
    seconds = dict.fromkeys((test for test in LINES_OF if not test.startswith(SHARED)), 1.0)
    tests = {"seconds": seconds, "unusable": ["t.py::failing"]}
    (tmp_path / TESTS).write_text(json.dumps(tests))
    (tmp_path / FIXTURES).write_text(json.dumps({f"{SHARED}t.py:world": ["t.py::shares"]}))
    return LineCoverage(tmp_path, {"one.py": Source("one.py", CODE)}, tmp_path)


def covering_tests(covering: LineCoverage, line: int, kind: str) -> list[str]:
    found = [c for c in changes(Source("one.py", CODE)) if (c.line, c.kind) == (line, kind)]
    return covering.tests_of(found[0])


def test_a_change_is_covered_by_the_tests_of_its_line_the_most_specific_first(
    covering: LineCoverage,
):
    assert covering_tests(covering, 4, "forget") == ["t.py::narrow"]
    first, *_, last = covering_tests(covering, 3, "negate")
    assert (first, last) == ("t.py::narrow", "t.py::z_case[4]")
    assert covering_tests(covering, 3, "negate").index("t.py::wide") == 4


def test_a_test_that_names_what_the_change_names_comes_first(tmp_path: Path):
    (tmp_path / "t.py").write_text(
        "def test_land_closes(): ...\ndef test_other():\n    assert other\n"
    )
    tests = ["t.py::test_land_closes", "t.py::test_other[1]", "u.py::test_gone"]
    source = Source("app/pages.py", b"async def land(page):\n    close(page)\n")
    words = words_of(source, next(iter(changes(source))))
    assert {"land", "pages"} <= words
    found = TestWords(tmp_path, tests)
    assert found.relevance(words, tests[0]) > found.relevance(words, tests[1]) == 0
    assert found.relevance(frozenset({"gone"}), tests[2]) > 0


def test_code_that_a_shared_fixture_runs_is_covered_by_all_tests_that_use_it(
    covering: LineCoverage,
):
    assert covering_tests(covering, 5, "alter") == ["t.py::shares", "t.py::wide"]


def test_a_constant_is_covered_where_it_is_used(covering: LineCoverage):
    assert covering_tests(covering, 1, "alter") == ["t.py::narrow"]


def case(tests: int) -> Mutant:
    change = next(changes(Source("one.py", CODE)))
    return Mutant(1, change, [f"t.py::{number}" for number in range(tests)])


def test_a_change_that_no_test_notices_gets_more_tests_a_few_times():
    one = case(TESTS_AT_ONCE * ROUNDS + 1)
    given: list[str] = []
    while one.is_open:
        taken = list(one.take(dict.fromkeys(one.tests, 0.1)))
        one.add(RunResult(Verdict.UNNOTICED, taken, {}, 1.0))
        given += taken
    assert given == one.tests[:-1] == one.ran


def test_slow_tests_run_one_by_one_and_a_noticed_change_gets_no_more_tests():
    one = case(3)
    assert list(one.take(dict.fromkeys(one.tests, 100.0))) == ["t.py::0"]
    assert one.is_open
    one.add(RunResult(Verdict.NOTICED, ["t.py::0"], {"t.py::0": "E assert"}, 1.0))
    assert not one.is_open


def test_the_report_counts_untried_changes_and_shows_unnoticed_ones():
    files = {"one.py": Source("one.py", CODE)}
    survivor, untried, uncovered = case(2), case(1), case(0)
    survivor.add(RunResult(Verdict.UNNOTICED, ["t.py::0"], {}, 1.0))
    text = report([survivor, untried, uncovered], files, {}, [])
    assert "1 not noticed" in text
    assert "1 not tried" in text
    assert "1 run by no test" in text
    assert "NOT NOTICED: #1 one.py:" in text
    assert "+++ b/one.py" in text
    assert "1 of 2" in text
    assert "  t.py::0" in text


def test_a_changed_file_is_restored(tmp_path: Path):
    path = tmp_path / "one.py"
    path.write_bytes(CODE)
    before = path.stat().st_mtime_ns
    with copies.temporary_content(path, b"pass"):
        assert path.read_bytes() == b"pass"
        assert path.stat().st_mtime_ns != before
    assert path.read_bytes() == CODE
    assert path.stat().st_mtime_ns == before
