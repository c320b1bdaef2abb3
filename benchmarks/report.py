"""The report of a benchmark: tables and goals, printed as they come and written to files. Nothing is measured here."""

import json
import platform
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Table:
    """A table with its title, and the lines of text below it."""

    title: str
    header: Sequence[str]
    rows: Sequence[Sequence[str]]
    notes: Sequence[str] = ()

    def markdown(self) -> str:
        """Return it as Markdown."""
        lines = [self.header, ["---"] * len(self.header), *self.rows]
        table = "\n".join("| " + " | ".join(line) + " |" for line in lines)
        return "\n\n".join([f"### {self.title}", table, *self.notes])


@dataclass(frozen=True)
class Goal:
    """A goal and what was reached. `at_least` says that more is better."""

    what: str
    measured: float
    must: float
    aim: float | None = None
    unit: str = "times"
    at_least: bool = False

    def meets(self, limit: float) -> bool:
        """Return whether the figure keeps a limit."""
        return self.measured >= limit if self.at_least else self.measured <= limit

    def verdict(self) -> str:
        """Return whether it is met, or how the figure compares with the limit."""
        if self.meets(self.must):
            return "met" if self.aim is None else "aim met" if self.meets(self.aim) else "met"
        share = self.measured / self.must
        return (
            f"missed: {share:.0%} of it" if share < 2 else f"missed: {number(share)} times as much"
        )

    def row(self) -> list[str]:
        """Return its row of the table of goals."""
        limits = [self.must, self.must if self.aim is None else self.aim]
        word = "≥" if self.at_least else "≤"
        shown = [f"{word} {number(limit)} {self.unit}" for limit in limits]
        aim = shown[1] if self.aim is not None else ""
        return [self.what, shown[0], aim, f"{number(self.measured)} {self.unit}", self.verdict()]


def number(value: float) -> str:
    """Return a number with three digits that count."""
    if value == 0 or abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}"


@dataclass
class Report:
    """What was measured so far."""

    conditions: list[str]
    tables: list[Table] = field(default_factory=list)
    goals: list[Goal] = field(default_factory=list)
    raw: dict[str, Any] = field(default_factory=dict)

    def add(self, table: Table) -> None:
        """Add a table and print it."""
        self.tables.append(table)
        print(f"\n{table.markdown()}", flush=True)

    def markdown(self) -> str:
        """Return the whole report as Markdown."""
        goals = Table(
            "Goals", ["goal", "must", "aim", "measured", ""], [goal.row() for goal in self.goals]
        )
        shown = [*([goals] if self.goals else []), *self.tables]
        return "\n\n".join(["\n".join(self.conditions), *(table.markdown() for table in shown)])

    def finish(self, out: Path | None) -> None:
        """Print the goals; write the report as Markdown and as JSON beside it."""
        if self.goals:
            print("\n" + self.markdown().split("\n\n### ")[1], flush=True)
        if out is not None:
            out.with_suffix(".md").write_text(self.markdown() + "\n")
            document = {**asdict(self), "goals": [asdict(goal) for goal in self.goals]}
            out.with_suffix(".json").write_text(json.dumps(document, indent=1, ensure_ascii=False))


def machine() -> str:
    """Return in one line what the benchmark runs on."""
    names = [
        line.split(":", 1)[1].strip()
        for line in Path("/proc/cpuinfo").read_text().splitlines()
        if line.startswith("model name")
    ]
    load = Path("/proc/loadavg").read_text().split()[0]
    kind = names[0] if names else platform.machine()
    return f"{len(names)} cores ({kind}), Python {sys.version.split()[0]}, load {load} at the start"
