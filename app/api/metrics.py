"""The metrics of the background work, for Prometheus. No label names an account.

They are read from memory: the process measures the queue itself, so that a scrape costs no query.
"""

from collections.abc import Iterable

from fastapi import FastAPI
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from typing_extensions import override

from app.sync.background import Background
from app.sync.supervisor import State

PREFIX = "levitate_clio"


class BackgroundCollector(Collector):
    """Collects the parts of the process, the queue, the connection pools and the lag of the event loop."""

    def __init__(self, app: FastAPI) -> None:
        self._app = app

    @override
    def collect(self) -> Iterable[Metric]:
        background: Background | None = getattr(self._app.state, "background", None)
        if background is None:  # the process has not started
            return
        yield from _parts(background)
        yield from _work(background)
        yield from _pools(background)
        lag = GaugeMetricFamily(
            f"{PREFIX}_event_loop_lag_seconds", "The delay of the last turn of the event loop"
        )
        lag.add_metric([], background.loop.lag)
        yield lag
        waiting = GaugeMetricFamily(
            f"{PREFIX}_waiting_readers", "Requests that wait for a change of a feed"
        )
        waiting.add_metric([], background.feed_waits.count)
        yield waiting


def _parts(background: Background) -> Iterable[Metric]:
    answering = background.probe.answering()
    state = GaugeMetricFamily(
        f"{PREFIX}_part_state", "1 for the state of each part", labels=["part", "state"]
    )
    age = GaugeMetricFamily(
        f"{PREFIX}_part_turn_age_seconds", "Seconds since the part's last turn", labels=["part"]
    )
    restarts = CounterMetricFamily(
        f"{PREFIX}_part_restarts", "How often a part was started again", labels=["part"]
    )
    for part in background.supervisor.parts.values():
        current = part.state(answering=answering)
        for each in State:
            state.add_metric([part.name, each], each is current)
        age.add_metric([part.name], part.age())
        restarts.add_metric([part.name], part.restarts)
    yield from (state, age, restarts)


def _work(background: Background) -> Iterable[Metric]:
    measured = background.measured
    depth = GaugeMetricFamily(f"{PREFIX}_queue_jobs", "Jobs that are due and wait", labels=["kind"])
    oldest = GaugeMetricFamily(
        f"{PREFIX}_queue_oldest_seconds", "Age of the oldest due job", labels=["kind"]
    )
    for kind, queue in measured.queues.items():
        depth.add_metric([kind], queue.jobs)
        oldest.add_metric([kind], queue.oldest_seconds)
    accounts = GaugeMetricFamily(f"{PREFIX}_accounts", "Accounts by health", labels=["health"])
    for health, count in measured.accounts.items():
        accounts.add_metric([health], count)
    slot = GaugeMetricFamily(
        f"{PREFIX}_oldest_slot_seconds", "Age of the oldest slot that no run has served"
    )
    slot.add_metric([], measured.oldest_slot_seconds)
    yield from (depth, oldest, accounts, slot)


def _pools(background: Background) -> Iterable[Metric]:
    waits = CounterMetricFamily(
        f"{PREFIX}_pool_waits", "Waits for a connection of a full pool", labels=["pool"]
    )
    seconds = CounterMetricFamily(
        f"{PREFIX}_pool_wait_seconds", "Seconds waited for a connection", labels=["pool"]
    )
    for name, pool in background.pools.items():
        waits.add_metric([name], pool.waits)
        seconds.add_metric([name], pool.seconds)
    yield from (waits, seconds)
