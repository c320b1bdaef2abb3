"""Every test belongs to exactly one tier, and the Makefile runs each tier."""

import re
from pathlib import Path

import pytest

from tests.support.tiers import TIERS, tiers_of

ROOT = Path(__file__).parents[3]
FILES = sorted(path.relative_to(ROOT / "tests") for path in (ROOT / "tests").rglob("test_*.py"))
NEEDS_DATABASE = {"dsn", "own_dsn", "world", "pulled"}


@pytest.mark.parametrize("path", FILES, ids=str)
def test_a_test_file_belongs_to_exactly_one_tier(path: Path):
    assert len(tiers_of(str(path))) == 1


@pytest.mark.parametrize(
    "path", [path for path in FILES if tiers_of(str(path)) == ["fast"]], ids=str
)
def test_a_fast_test_needs_no_database(path: Path):
    text = (ROOT / "tests" / path).read_text()
    for arguments in re.findall(r"def test_\w+\(([^)]*)\)", text):
        names = {argument.split(":")[0].strip() for argument in arguments.split(",")}
        assert not names & NEEDS_DATABASE, path


def test_the_makefile_runs_the_folders_of_each_tier():
    makefile = (ROOT / "Makefile").read_text()
    for tier in ("fast", "standard", "wide"):
        (line,) = re.findall(rf"^{tier.upper()} := (.*)$", makefile, re.MULTILINE)
        assert line.split() == [f"tests/{folder}" for folder in TIERS[tier]]


def test_no_test_is_outside_the_folders_of_the_tiers():
    folders = {folder for folders in TIERS.values() for folder in folders}
    assert {path.parts[0] for path in FILES} <= folders


def test_no_test_can_be_skipped():
    # a missing program makes a test fail, so that a tier that did not run never looks passed
    skips = re.compile(r"pytest\.(?:skip|importorskip|xfail)\b|mark\.(?:skip|skipif|xfail)\b")
    sources = (ROOT / "tests").rglob("*.py")
    assert [path for path in sources if skips.search(path.read_text())] == []
