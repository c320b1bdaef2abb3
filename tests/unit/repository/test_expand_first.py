"""Migrations expand first and contract later: nothing goes that the release before still uses."""

import re
import subprocess
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
CONFIG = tomllib.loads((ROOT / "pyproject.toml").read_text())
RELEASES: list[str] = CONFIG["tool"]["levitate-clio"]["releases"]
LAST_BEFORE_THE_RULE = "0012"
DROPPED = re.compile(
    r"""op\.(?:drop_table|rename_table|drop_column|alter_column)\(\s*"(\w+)"(?:,\s*"(\w+)")?([^)]*)"""
)
RAW = re.compile(r"(?i)\b(?:drop\s+(?:table|column)|rename\s+(?:to|column))\b")


def git(*words: str) -> str:
    done = subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, (
        f"git {' '.join(words)}: a release's commit is missing; run `git fetch --unshallow`"
    )
    return done.stdout


def tables_of(release: str) -> str:
    paths = git("ls-tree", "-r", "--name-only", release, "app/db").split()
    return "".join(git("show", f"{release}:{p}") for p in paths if p.endswith("tables.py"))


def upgrade_of(path: Path) -> str:
    return path.read_text().partition("def upgrade")[2].partition("def downgrade")[0]


def removals(upgrade: str) -> list[str]:
    """Return the names of tables and columns that a migration drops or renames; `?` for SQL that does."""
    found = []
    for table, column, rest in DROPPED.findall(upgrade):
        is_change = "alter_column" in upgrade and "new_column_name" not in rest
        if not (column and is_change):
            found.append(column or table)
    return found + (["?"] if RAW.search(upgrade) else [])


def newer_migrations() -> list[Path]:
    files = sorted((ROOT / "migrations/versions").glob("*.py"))
    return [path for path in files if path.name[:4] > LAST_BEFORE_THE_RULE]


@pytest.mark.parametrize("path", newer_migrations(), ids=lambda path: path.stem)
def test_a_migration_removes_nothing_that_the_release_before_names(path: Path):
    used = tables_of(RELEASES[-1])
    lost = [name for name in removals(upgrade_of(path)) if name == "?" or f'"{name}"' in used]
    assert lost == [], "the previous release still uses these; remove them one release later"


def test_the_guard_sees_what_is_dropped_or_renamed():
    code = """op.drop_column("runs", "tally"); op.drop_table("slots"); op.rename_table("a", "b")"""
    assert removals(code) == ["tally", "slots", "b"]
    assert removals('op.alter_column("runs", "tally", new_column_name="x")') == ["tally"]
    assert removals('op.alter_column("runs", "tally", nullable=True)') == []
    assert removals('op.execute("alter table runs drop column tally")') == ["?"]


def test_the_schema_names_the_release_before_as_the_oldest_that_can_run_on_it():
    release = RELEASES[-1]
    paths = git("ls-tree", "-r", "--name-only", release, "migrations/versions").split()
    head = max(Path(path).name[:4] for path in paths if path.endswith(".py"))
    code = "".join(upgrade_of(path) for path in newer_migrations())
    named = re.findall(r"schema_compatibility (?:values \(|set oldest_revision = )'(\w+)'", code)
    assert named[-1] == head, f"a migration of this release must set oldest_revision to {head}"
