"""First runs and later runs of this service beside those of the references."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Any

from benchmarks.programs import (
    CHANGED,
    FIRST,
    FULL,
    LATER,
    NOTHING,
    OURS,
    REFERENCES,
    Figures,
    OurService,
    Program,
    Stage,
    Turn,
)
from benchmarks.report import Goal, Report, Table, number

LEAST, TIDY, DLT = (reference.name for reference in REFERENCES)
PROGRAMS: Sequence[Program] = (*REFERENCES, OurService())

Measure = Callable[[Figures], float]


def seconds(figures: Figures) -> float:
    """Return the duration."""
    return figures.spent.seconds


def cpu(figures: Figures) -> float:
    """Return the CPU seconds of program and PostgreSQL."""
    return figures.spent.cpu


def cpu_of_thousand(figures: Figures) -> float:
    """Return the CPU milliseconds of program and PostgreSQL for 1,000 records that were read."""
    return figures.spent.cpu * 1e6 / figures.records


@dataclass
class Played:
    """All turns: of each program one in each round, in the order of the rounds."""

    turns: dict[str, list[Turn]] = field(default_factory=dict)

    def figure(self, name: str, step: str, measure: Measure) -> float:
        """Return the median of a figure over the rounds."""
        return median(measure(turn[step]) for turn in self.turns[name])

    def ratio(self, one: tuple[str, str], other: tuple[str, str], measure: Measure) -> float:
        """Return the median of the ratios within the rounds; each side is a program and a step."""
        pairs = zip(self.turns[one[0]], self.turns[other[0]], strict=True)
        return median(
            measure(left[one[1]]) / max(measure(right[other[1]]), 1e-9) for left, right in pairs
        )

    def raw(self) -> dict[str, Any]:
        """Return all figures as JSON."""
        return {
            name: [
                {
                    step: {
                        "seconds": round(figures.spent.seconds, 3),
                        "program_cpu": round(figures.spent.program, 3),
                        "postgres_cpu": round(figures.spent.postgres, 3),
                        "memory_mib": round(figures.memory, 1),
                        "requests": figures.requests,
                        "records": figures.records,
                    }
                    for step, figures in turn.items()
                }
                for turn in turns
            ]
            for name, turns in self.turns.items()
        }


def play(stage: Stage, *, rounds: int, warm_up: bool, programs: Sequence[Program]) -> Played:
    """Let the programs take turns, in reversed order in every second round. A round to warm up counts for nothing."""
    played = Played({program.name: [] for program in programs})
    for nth in range(-int(warm_up), rounds):
        order = programs if nth % 2 == 0 else list(reversed(programs))
        for program in order:
            began = time.monotonic()
            turn = program.play(stage)
            if nth >= 0:
                played.turns[program.name].append(turn)
            steps = ", ".join(
                f"{step} {seconds(one):.2f} s / {cpu(one):.2f} CPU" for step, one in turn.items()
            )
            took = time.monotonic() - began
            print(f"  round {nth + 1}, {program.name}: {steps}; {took:.0f} s in all", flush=True)
    return played


def title(stage: Stage, what: str) -> str:
    """Return the title of a table about a size of firm."""
    fake = stage.fake
    size = f"{fake.contacts:,} contacts, {fake.matters:,} matters, {fake.relationships:,} relationships"
    return f"{what}: {size}, {stage.latency_ms:.0f} ms"


def show_first_runs(report: Report, stage: Stage, played: Played) -> None:
    """Add the table of the first runs."""
    rows = [
        [
            name,
            number(played.figure(name, FIRST, seconds)),
            number(played.figure(name, FIRST, lambda one: one.spent.program)),
            number(played.figure(name, FIRST, lambda one: one.spent.postgres)),
            number(played.figure(name, FIRST, cpu_of_thousand)),
            number(played.figure(name, FIRST, lambda one: one.memory)),
            number(played.figure(name, FIRST, lambda one: one.requests)),
            number(played.ratio((name, FIRST), (DLT, FIRST), seconds)),
            number(played.ratio((name, FIRST), (DLT, FIRST), cpu_of_thousand)),
        ]
        for name in played.turns
    ]
    header = [
        "program",
        "wall s",
        "CPU s",
        "PostgreSQL CPU s",
        "CPU ms per 1,000 records",
        "peak MiB",
    ]
    header += ["requests", "wall ÷ dlt", "CPU per record ÷ dlt"]
    report.add(Table(title(stage, "First run"), header, rows))


def show_later_runs(report: Report, stage: Stage, played: Played) -> None:
    """Add the table of the runs after the first one: seconds, and CPU seconds of program and PostgreSQL."""
    steps = [NOTHING, NOTHING + LATER, CHANGED, CHANGED + LATER, FULL, FULL + LATER]
    rows = [
        [
            name,
            *(
                f"{number(played.figure(name, step, seconds))} / {number(played.figure(name, step, cpu))}"
                if step in turns[0]
                else ""
                for step in steps
            ),
        ]
        for name, turns in played.turns.items()
    ]
    header = ["program, wall s / CPU s", "nothing changed", "… after vacuum analyze", "1 % changed"]
    header += ["… after vacuum analyze", "full run, nothing changed", "… after vacuum analyze"]
    report.add(Table(title(stage, "Later runs"), header, rows))


def add_goals(report: Report, stage: Stage, played: Played) -> None:
    """Add the goals about the runs of one size and latency."""
    ours, size = (OURS, FIRST), f"{stage.fake.contacts:,}"
    if stage.latency_ms:
        ratio = played.ratio(ours, (LEAST, FIRST), seconds)
        report.goals.append(
            Goal(
                f"first run of {size} at {stage.latency_ms:.0f} ms ÷ least program's time",
                ratio,
                1.4,
                1.15,
            )
        )
        return
    faster = 1 / played.ratio(ours, (DLT, FIRST), seconds)
    price = played.ratio(ours, (DLT, FIRST), cpu_of_thousand)
    report.goals += [
        Goal(
            f"first run of {size}, 0 ms: how many times faster than dlt",
            faster,
            1.4,
            2.0,
            at_least=True,
        ),
        Goal(f"CPU per 1,000 records ÷ dlt's, {size}", price, 0.6, 0.45),
        Goal(
            f"peak memory of serve, {size}",
            played.figure(*ours, lambda one: one.memory),
            200,
            150,
            "MiB",
        ),
    ]
    if stage.only_first:
        return
    for when, words in (("", "right after the first run"), (LATER, "after vacuum analyze")):
        nothing = played.figure(OURS, NOTHING + when, cpu)
        changed = played.ratio((OURS, CHANGED + when), (LEAST, CHANGED), cpu)
        full = played.ratio((OURS, FULL + when), ours, cpu)
        report.goals += [
            Goal(f"nothing changed, CPU, {size}, {words}", nothing, 0.1, unit="s"),
            Goal(f"1 % changed, CPU ÷ least program's, {size}, {words}", changed, 3.0, 2.0),
            Goal(f"full run in which nothing changed, CPU ÷ first run, {size}, {words}", full, 0.5),
        ]


def compare(
    report: Report,
    stage: Stage,
    *,
    rounds: int,
    warm_up: bool,
    programs: Sequence[Program] = PROGRAMS,
) -> Played:
    """Play all rounds of one size and latency, and add the tables and goals."""
    print(f"\n{title(stage, 'Runs')}, {rounds} rounds", flush=True)
    played = play(stage, rounds=rounds, warm_up=warm_up, programs=programs)
    report.raw[title(stage, "runs")] = played.raw()
    show_first_runs(report, stage, played)
    if not stage.only_first:
        show_later_runs(report, stage, played)
    add_goals(report, stage, played)
    return played
