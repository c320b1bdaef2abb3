"""How a first run grows with the firm: memory and time, the requests beside the fewest possible, and Clio's pace."""

import contextlib
import io
import runpy
from collections.abc import Callable

from benchmarks.programs import FIRST, FULL, NOTHING, OURS, Figures
from benchmarks.pulls import Measure, Played, cpu_of_thousand, seconds
from benchmarks.report import Goal, Report, Table, number
from benchmarks.servers import ROOT, Fake
from tests.support.rate_limited_read import read_firm

WITHIN_MEMORY, WITHIN_TIME = 0.10, 0.20
LISTS = 3
SMALL_LISTS = 4  # users, custom fields, practice areas, stages: one page each


def fewest_requests(fake: Fake) -> int:
    """Return what `limits.py` allows for a first run: each page once, and the references."""
    with contextlib.redirect_stdout(io.StringIO()):
        limits = runpy.run_path(str(ROOT / "benchmarks/limits.py"))
    pages: Callable[[int], int] = limits["pages"]
    lists = (fake.contacts, fake.matters, fake.relationships)
    return sum(pages(count) for count in lists) + int(limits["REFS"])


def show_requests(report: Report, fake: Fake, played: Played) -> None:
    """Add the table of requests to Clio and their goal: the fewest possible, and one for the login."""
    fewest = {
        FIRST: fewest_requests(fake),
        NOTHING: LISTS + SMALL_LISTS,
        FULL: fewest_requests(fake),
    }
    turns = played.turns[OURS]
    rows = [
        [step, str(turns[0][step].requests), str(limit)]
        for step, limit in fewest.items()
        if step in turns[0]
    ]
    report.add(
        Table(
            f"Requests to Clio, {fake.contacts:,} contacts", ["run", "requests", "limits.py"], rows
        )
    )
    more = max(turn[FIRST].requests for turn in turns) - fewest[FIRST]
    report.goals.append(Goal("first run: requests more than limits.py", more, 1, unit=""))


def show_growth(report: Report, small: tuple[int, Figures], large: tuple[int, Figures]) -> None:
    """Add the table of two sizes of firm, and the goals that say how far they may differ."""
    sizes = (small, large)
    measures: dict[str, Measure] = {
        "wall s": seconds,
        "CPU s": lambda one: one.spent.program,
        "PostgreSQL CPU s": lambda one: one.spent.postgres,
        "CPU ms per 1,000 records": cpu_of_thousand,
    }
    rows = [
        [name, *(number(measure(one)) for _, one in sizes)] for name, measure in measures.items()
    ]
    rows.append(
        ["wall ms per contact", *(number(seconds(one) * 1e3 / count) for count, one in sizes)]
    )
    rows.append(["peak MiB", *(number(one.memory) for _, one in sizes)])
    names = [f"{count:,} contacts" for count, _ in sizes]
    report.add(Table("The first run of a small and a large firm", ["", *names], rows))
    (few, first), (many, second) = sizes
    slower = (seconds(second) / many) / (seconds(first) / few) - 1
    words = f"{few:,} to {many:,} contacts"
    report.goals += [
        Goal(f"time per contact, {words}: more by", slower, WITHIN_TIME, unit=""),
        Goal(
            f"peak memory, {words}: more by",
            second.memory / first.memory - 1,
            WITHIN_MEMORY,
            unit="",
        ),
        Goal(f"peak memory of serve, {many:,}", second.memory, 200, 150, "MiB"),
    ]


def show_pace(report: Report, *, contacts: int, limit: int = 50, latency: float = 0.15) -> None:
    """Read one firm with the client under Clio's rate limit, in simulated time; add the table."""
    result = read_firm(contacts, limit=limit, latency=latency)
    minimum = result.least(limit, latency)
    rows = [
        ["records", f"{result.records:,}"],
        ["requests, refused", f"{result.requests:,}, {result.refused}"],
        ["seconds", f"{result.seconds:,.1f}"],
        ["the rate limit's minimum, seconds", f"{minimum:,.1f}"],
        ["more than the minimum", f"{result.seconds / minimum - 1:.2%}"],
        ["estimate after 60 seconds", f"{result.early:,.1f}"],
    ]
    report.add(
        Table(
            f"Pace under {limit} requests a minute, {contacts:,} contacts", ["", "first pull"], rows
        )
    )
