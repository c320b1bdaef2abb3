"""The arithmetic of the benchmark of neighbours: percentiles, samples that do not arrive, and outages."""

from datetime import UTC, datetime, timedelta

import pytest

from benchmarks.neighbours.waits import Outage, Sample, percentile, summarize, waited

DUE = datetime(2026, 3, 3, 11, 0, tzinfo=UTC)
LIMIT = 10.0


def at(seconds: float) -> datetime:
    return DUE + timedelta(seconds=seconds)


def outage(began: float, ended: float) -> Outage:
    return Outage(at(began), at(ended))


@pytest.mark.parametrize(
    ("arrived", "outages", "seconds"),
    [
        pytest.param(4, [], 4, id="without an outage"),
        pytest.param(None, [], 60, id="what does not arrive has waited until the end"),
        pytest.param(4, [outage(-5, -3)], 4, id="an earlier outage does not matter"),
        pytest.param(4, [outage(5, 7)], 4, id="a later outage does not matter"),
        pytest.param(4, [outage(-1, 1)], 3, id="due without the database"),
        pytest.param(4, [outage(1, 3)], 1, id="the database went away while it waited"),
        pytest.param(4, [outage(0, 5)], 0, id="sent before the end of the outage was noticed"),
        pytest.param(27, [outage(1, 3), outage(23, 25)], 24, id="the second outage is no excuse"),
        pytest.param(27, [outage(12, 25)], 27, id="an outage after the limit is no excuse"),
        pytest.param(None, [outage(1, 3)], 57, id="it does not arrive after an outage"),
    ],
)
def test_a_sample_waits_from_its_due_time_or_from_the_return_of_the_database(
    arrived, outages, seconds
):
    sample = Sample("note", DUE, None if arrived is None else at(arrived))
    assert waited(sample, outages, limit=LIMIT, until=at(60)) == seconds


def test_a_percentile_is_one_of_the_values_and_two_bad_samples_of_two_hundred_do_not_move_the_99th():
    good = [float(n) for n in range(198)]
    assert percentile([*good, 1000.0, 1000.0], 0.99) == 197
    assert percentile([*good[1:], 1000.0, 1000.0, 1000.0], 0.99) == 1000
    assert percentile([3.0, 1.0, 2.0], 0.5) == 2
    assert percentile([7.0], 0.99) == 7


def test_samples_that_do_not_arrive_count_in_every_column():
    samples = [Sample("run", DUE, at(1)), Sample("run", DUE, None)]
    row = summarize(samples, [], limit=LIMIT, until=at(60))
    assert (row.count, row.late, row.median, row.p99, row.longest) == (2, 1, 1, 60, 60)
