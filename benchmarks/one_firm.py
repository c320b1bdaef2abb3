"""What is measured on one connected firm: how early it is readable, rules, a change of settings, a scheduled run."""

import asyncio
import gc
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from statistics import median
from typing import Any, TypeVar

import httpx

from app import rules
from app.db.accounts import attorneys, settings
from app.db.mirror import rule_inputs
from app.db.runs.run_requests import serve_slot
from app.db.runs.runs import Kind
from app.db.session import Session, open_database, transaction
from benchmarks.measuring import peak_memory
from benchmarks.programs import Figures, Measured
from benchmarks.report import Goal, Report, Table, number
from benchmarks.servers import ACCOUNT, PATH
from tests.support.postgres import address_of

T = TypeVar("T")
ROUNDS = 5
SCALE = 20_000  # the contacts that the goals are about
PEOPLE, BATCH = 4_000, 200
SETTINGS = f"{PATH}/settings"
CHANGES: dict[str, dict[str, Any]] = {
    "many": {
        "tags": {
            "location": {"city": True, "state": True},
            "matter_number": {"enabled": True},
            "practice_area": {"matter_status": ["open", "pending", "closed"]},
        },
        "scope": {"include_related": True},
    },
    "few": {"scope": {"related_role_exclude": ["judge"]}},
}


def in_database(dsn: str, act: Callable[[Session], Awaitable[T]]) -> T:
    """Do something in a transaction of the service's own kind; return its result."""

    async def acting() -> T:
        database = open_database(address_of(dsn))
        try:
            async with transaction(database, ACCOUNT) as session:
                return await act(session)
        finally:
            await database.dispose()

    return asyncio.run(acting())


# --- how early contacts are readable in the first run


@dataclass(frozen=True)
class Sample:
    """What is known at one moment: seconds since the start, contacts read and readable, seconds left."""

    at: float
    read: int
    readable: int
    eta: int | None


def measure_progress(report: Report, measured: Measured) -> None:
    """Connect the firm and sample its first run until it ends [IS-2]; add the table."""
    service, contacts = measured.service, measured.stage.fake.contacts
    service.connect()
    measured.runs += 1
    began, samples = time.monotonic(), list[Sample]()
    read = "select coalesce(sum(records), 0) from pulls where resource = 'contacts'"
    while True:
        runs = service.api.get(f"{PATH}/runs").json()["data"]
        done, readable = service.sql.value(read), service.sql.value("select count(*) from contacts")
        eta = runs[0]["progress"]["eta_seconds"] if runs else None
        samples.append(Sample(time.monotonic() - began, done, readable, eta))
        if runs and runs[0]["finished_at"]:
            break
        time.sleep(0.1)
    report.add(progress_table(samples, contacts))


def progress_table(samples: list[Sample], contacts: int) -> Table:
    """Return when people were readable, and the error of the ETA after the first tenth."""
    end = samples[-1].at
    half = next(one for one in samples if one.read >= contacts / 2)
    first = next(one for one in samples if one.readable)
    late = [one for one in samples if end / 10 <= one.at < end]
    errors = [abs(one.at + one.eta - end) / end for one in late if one.eta is not None]
    rows = [
        ["seconds", f"{end:.1f}"],
        ["first contact readable", f"{first.at:.1f} s, {first.read / contacts:.0%} read"],
        [
            "when half are read",
            f"{half.readable / samples[-1].readable:.0%} are readable ({half.at:.1f} s)",
        ],
        [
            "error of the ETA after a tenth, share of the whole",
            f"{max(errors, default=0):.0%} at most",
        ],
        ["samples with an ETA", f"{len(errors) / max(1, len(late)):.0%}"],
    ]
    return Table(f"How early a firm of {contacts:,} contacts is readable", ["", "first run"], rows)


# --- the rules


def measure_rules(report: Report, dsn: str) -> None:
    """Apply the rules to stored people in this process, without a database; add the table and goal."""
    assessed, compared, people = in_database(dsn, _time_rules)
    rows = [
        ["assess, with reasons", number(assessed)],
        ["view and comparison with nothing stored", number(compared)],
    ]
    report.add(Table(f"Rules, {people:,} people", ["step", "µs a person"], rows))
    report.goals.append(Goal("rules with reasons, a person", assessed, 70, 50, "µs"))


async def _time_rules(session: Session) -> tuple[float, float, int]:
    """Return the microseconds of both steps for a person, and the number of people: the median of some rounds."""
    names = await rule_inputs.load_current_names(session, ACCOUNT)
    firm = await attorneys.load_firm_facts(session, ACCOUNT)
    current = (await settings.get_current(session, ACCOUNT)).settings
    people, last = list[Any](), 0
    while len(people) < PEOPLE:
        found = await rule_inputs.load_facts_after(session, ACCOUNT, names, after=last, limit=BATCH)
        if not found:
            break
        people += found
        last = found[-1].contact.clio_id
    times = list[tuple[float, float]]()
    gc.collect()
    gc.freeze()  # as in the service, which has few objects that live on
    for _ in range(ROUNDS):
        began = time.process_time()
        found_all = [rules.assess(facts, firm, current, None) for facts in people]
        middle = time.process_time()
        views = [rules.view(None, one) for one in found_all]
        for view in views:
            if view is not None:
                rules.diff(None, view)
        times.append((middle - began, time.process_time() - middle))
    one, other = (median(side) * 1e6 / len(people) for side in zip(*times, strict=True))
    return one, other, len(people)


# --- a change of settings

_OF_THE_GOALS = (
    "The goals are about {:,} contacts, so they take these seconds of a whole preview and of a run"
    " {} times."
)


def measure_rederive(report: Report, measured: Measured) -> None:
    """Preview and apply a change that concerns many and one that concerns few; add the table and goals."""
    scale = SCALE / measured.stage.fake.contacts
    rows = []
    requests = measured.stage.fake.requests
    for name, patch in CHANGES.items():
        first, whole, summary = _preview(measured.service.api, patch)
        figures, run = _apply(measured, patch)
        assert run["counts"]["entered"] == summary["entering"], (run, summary)
        changed = f"{run['counts']['changed']:,}"
        shown = [first, whole, figures.spent.seconds, figures.spent.program, figures.spent.postgres]
        rows.append([name, changed, *map(number, shown), number(peak_memory(measured.service.pid))])
        if name == "many":
            report.goals += [
                Goal(
                    f"re-derivation of {SCALE:,}, many changed",
                    figures.spent.seconds * scale,
                    4,
                    2,
                    "s",
                ),
                Goal(f"preview of {SCALE:,}, whole", whole * scale, 2, 0.5, "s"),
                Goal(
                    f"preview of {SCALE:,}, first numbers",
                    first * (1 if first < whole / 2 else scale),
                    1,
                    0.5,
                    "s",
                ),
            ]
    assert measured.stage.fake.requests == requests, "a run that re-derives asked Clio"
    header = ["who changes", "changed", "preview: first numbers s", "whole s", "run s", "CPU s"]
    header += ["PostgreSQL CPU s", "peak MiB"]
    notes = [] if scale == 1 else [_OF_THE_GOALS.format(SCALE, number(scale))]
    contacts = measured.stage.fake.contacts
    report.add(Table(f"A change of settings, {contacts:,} contacts", header, rows, notes))


def _preview(api: httpx.Client, patch: dict[str, Any]) -> tuple[float, float, dict[str, Any]]:
    """Return the seconds until the first and the last numbers of a preview, and its summary.

    The first numbers are the first bytes of a response as a stream of events.
    """
    url, body, began = f"{SETTINGS}/preview", {"settings": patch}, time.monotonic()
    with api.stream("POST", url, json=body, headers={"Accept": "text/event-stream"}) as stream:
        assert stream.status_code == 200, stream.read()
        chunks = stream.iter_raw()
        next(chunks)
        first = time.monotonic() - began
        for _ in chunks:
            pass
    began = time.monotonic()
    answer = api.post(url, json=body)
    answer.raise_for_status()
    return first, time.monotonic() - began, answer.json()["summary"]


def _apply(measured: Measured, patch: dict[str, Any]) -> tuple[Figures, dict[str, Any]]:
    """Change the settings; return the figures of the run that applies them, and the run."""
    api = measured.service.api
    etag = {"If-Match": api.get(SETTINGS).headers["etag"]}

    def change() -> None:
        api.patch(SETTINGS, json=patch, headers=etag).raise_for_status()

    return measured.next_run(change)


# --- what a scheduled run reads again


def measure_rereading(report: Report, measured: Measured, dsn: str) -> None:
    """Compare a scheduled run, which reads the relationships and small lists again, with one that asks for changes."""
    asked, scheduled = list[Figures](), list[Figures]()
    for _ in range(ROUNDS):
        asked.append(measured.next_run(lambda: measured.service.request_run("incremental"))[0])
        scheduled.append(measured.next_run(lambda: in_database(dsn, _request_scheduled))[0])
    assert scheduled[0].records == measured.stage.fake.relationships, scheduled[0]
    items = measured.service.sql.value("select count(*) from catalog_items")
    again = scheduled[0].records + items
    costs = [
        (one.spent.cpu - other.spent.cpu) * 1e6 / again
        for one, other in zip(scheduled, asked, strict=True)
    ]
    rows = [
        [
            name,
            number(median(one.spent.seconds for one in found)),
            number(median(one.spent.program for one in found)),
            number(median(one.spent.postgres for one in found)),
            str(found[0].requests),
            f"{found[0].records:,}",
        ]
        for name, found in (("asks for changes", asked), ("scheduled", scheduled))
    ]
    header = ["incremental run, nothing changed", "wall s", "CPU s", "PostgreSQL CPU s"]
    header += ["requests", "records read"]
    report.add(
        Table(f"What a scheduled run reads again: {again:,} records and list items", header, rows)
    )
    report.goals.append(
        Goal("scheduled run: CPU for 1,000 that it reads again", median(costs), 30, unit="ms")
    )


async def _request_scheduled(session: Session) -> None:
    now = datetime.now(UTC)  # noqa: TID251  # the service's clock is that of the machine, too
    await serve_slot(session, ACCOUNT, Kind.INCREMENTAL, "06:00", now=now)
