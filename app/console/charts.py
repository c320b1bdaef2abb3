"""Charts as SVG that the server makes: sizes are attributes, colours are classes. Each fact is in the text as well."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from app.console.times import Times
from app.db.runs.half_days import HalfDay

GAP = 0.25  # percent of a bar's width between two parts
SLOT, BAR = 10.0, 6.5  # of the strip: the place and the width of one half-day
AXIS, TALLEST, DEEPEST = 60.0, 58.0, 30.0


@dataclass(frozen=True)
class Part:
    """A part of a bar: its class, its place in percent, its count and what it counts."""

    css: str
    x: float
    width: float
    n: int
    label: str


def bar(counts: Sequence[tuple[str, int]]) -> list[Part]:
    """Return the parts of a bar, in their order; a part without people has no width."""
    total = sum(n for _, n in counts)
    shown = sum(1 for _, n in counts if n)
    room = 100 - GAP * max(0, shown - 1)
    parts, x = [], 0.0
    for number, (label, n) in enumerate(counts, start=1):
        width = room * n / total if total else 0.0
        parts.append(Part(f"f{number}", round(x, 3), round(width, 3), n, label))
        x += width + GAP if n else 0
    return parts


@dataclass(frozen=True)
class Column:
    """One half-day of the strip: its bars, and its title in words. `height` and `depth` are 0 without a sync."""

    x: float
    y: float
    height: float
    depth: float
    failed: bool
    title: str


@dataclass(frozen=True)
class Strip:
    """The syncs of 30 days as a strip, with what its text says."""

    columns: list[Column]
    first_day: date
    longest: float
    most_changed: int


def strip(found: Sequence[HalfDay], times: Times, days: int) -> Strip:
    """Return the strip of the last `days`: above the axis how long the longest sync took, below whom they changed."""
    longest = max((one.longest for one in found), default=0.0)
    most = max((one.changed for one in found), default=0)
    first = times.today - timedelta(days=days - 1)
    columns = [_column(one, first, longest, most, times) for one in found if one.day >= first]
    return Strip(columns, first, longest, most)


def _column(one: HalfDay, first: date, longest: float, most: int, times: Times) -> Column:
    place = (one.day - first).days * 2 + one.is_evening
    height = max(1.0, TALLEST * one.longest / longest) if longest else 1.0
    depth = DEEPEST * one.changed / most if most else 0.0
    return Column(
        x=place * SLOT + (SLOT - BAR) / 2,
        y=round(AXIS - height, 1),
        height=round(height, 1),
        depth=round(depth, 1),
        failed=one.failed > 0,
        title=f"{times.short_date(one.day)}, {'evening' if one.is_evening else 'morning'}: {_words(one)}",
    )


def _words(one: HalfDay) -> str:
    changed = f"{one.changed:,} {'person' if one.changed == 1 else 'people'} changed"
    minutes = f"{one.longest / 60:.1f} minutes"
    stopped = f"; {one.failed} of {one.syncs} did not finish" if one.failed else ""
    return f"{minutes}, {changed}{stopped}"
