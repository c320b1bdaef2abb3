"""The arithmetic: how long each sample waited, and percentiles. Pure functions."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil


@dataclass(frozen=True)
class Sample:
    """One piece of work: when it was due, and when its first byte arrived; None if it did not arrive in time."""

    kind: str
    due: datetime
    arrived: datetime | None


@dataclass(frozen=True)
class Outage:
    """A time without the database."""

    began: datetime
    ended: datetime


@dataclass(frozen=True)
class Row:
    """The result for some samples, in seconds. `late` did not arrive: they count with the time that they waited."""

    count: int
    late: int
    median: float
    p90: float
    p99: float
    longest: float


def waited(sample: Sample, outages: Iterable[Outage], *, limit: float, until: datetime) -> float:
    """Return the seconds that a sample waited; one that did not arrive has waited until `until`.

    The time counts from the end of the first outage that the sample met. An outage that began after the limit (in
    seconds) had passed excuses nothing.
    """
    arrived = sample.arrived or until
    last_excuse = min(arrived, sample.due + timedelta(seconds=limit))
    met = [each for each in outages if each.ended > sample.due and each.began < last_excuse]
    begin = max(sample.due, min((each.ended for each in met), default=sample.due))
    return max(0.0, (arrived - begin).total_seconds())


def percentile(values: Sequence[float], share: float) -> float:
    """Return the smallest value that at least this share of the values does not exceed (nearest rank)."""
    return sorted(values)[max(0, ceil(share * len(values)) - 1)]


def summarize(
    samples: Sequence[Sample], outages: Sequence[Outage], *, limit: float, until: datetime
) -> Row:
    """Return the row of these samples. There must be at least one."""
    times = [waited(sample, outages, limit=limit, until=until) for sample in samples]
    return Row(
        count=len(times),
        late=sum(sample.arrived is None for sample in samples),
        median=percentile(times, 0.5),
        p90=percentile(times, 0.9),
        p99=percentile(times, 0.99),
        longest=max(times),
    )
