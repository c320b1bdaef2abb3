"""The parts of the benchmark that the documents name exist, and the parts that exist are documented."""

import re
from pathlib import Path

from benchmarks.__main__ import FIRM_PARTS, LONG, PARTS

ROOT = Path(__file__).parents[3]
PAGES = [ROOT / "CONTRIBUTING.md", ROOT / "Makefile", *(ROOT / "docs").glob("*.md")]
NAMED = re.compile(r"--only ((?:[a-z][a-z-]*[ \n]?)+)")


def test_every_part_that_a_document_names_exists():
    named = {
        part
        for page in PAGES
        for parts in NAMED.findall(page.read_text())
        for part in parts.split()
    }
    assert {"runs", "rederive", "large-firm"} <= named <= {*PARTS, *FIRM_PARTS}


def test_what_takes_long_is_a_part():
    assert set(LONG) <= {*PARTS, *FIRM_PARTS}


def test_every_script_that_the_makefile_starts_exists():
    started = set(re.findall(r"-m benchmarks\.(\w+)", (ROOT / "Makefile").read_text()))
    looped = re.search(
        r"for name in ([\w ]+); do \$\(BIN\)/python -m benchmarks", (ROOT / "Makefile").read_text()
    )
    assert looped is not None
    for name in started | set(looped[1].split()):
        assert (ROOT / f"benchmarks/{name}.py").exists() or (ROOT / f"benchmarks/{name}").is_dir()
