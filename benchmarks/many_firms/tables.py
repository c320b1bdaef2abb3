"""The tables of the report, from what the phases and the database show."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from app.lanes import Lane
from benchmarks.many_firms.stage import Stage
from benchmarks.many_firms.watch import Phase, Watch, task_costs
from benchmarks.neighbours.waits import percentile
from benchmarks.report import Table, number

HOT = ("runs", "pgqueuer", "budgets", "slots", "accounts", "connections", "pulls", "run_logins")
LANES = [lane.label for lane in Lane]
WAITS = """
    select extract(epoch from started_at - queued_at)::float8 as waited,
      extract(epoch from finished_at - queued_at)::float8 as took
    from runs where kind = any($1) and account_id like $2 || '-%' and queued_at between $3 and $4
"""


@dataclass(frozen=True)
class Hot:
    """The state of a table whose rows change often."""

    rows: int
    updated: int
    in_page: int
    deleted: int
    dead: int
    vacuums: int
    kib: int


def show_firms(stage: Stage) -> Table:
    """Return the table of the firms."""
    rows = [
        [
            size.name,
            f"{size.firms:,}",
            f"{size.contacts:,}",
            f"{stage.fakes[size.name].matters:,}",
            f"{stage.fakes[size.name].relationships:,}",
        ]
        for size in stage.sizes
    ]
    header = ["size", "firms", "contacts each", "matters each", "relationships each"]
    note = f"Together {stage.firms:,} firms and {stage.contacts:,} contacts."
    return Table("Firms", header, rows, [note])


def show_phases(watch: Watch) -> Table:
    """Return what each phase cost."""
    header = ["phase", "wall s", "service CPU s", "PostgreSQL CPU s", "requests to Clio"]
    header += ["commits a second", "WAL MiB", "peak MiB of a worker"]
    rows = [
        [
            phase.name,
            number(phase.seconds),
            number(phase.service_cpu),
            number(phase.cpu["PostgreSQL"]),
            f"{phase.ended.requests - phase.begin.requests:,}",
            number((phase.ended.commits - phase.begin.commits) / phase.seconds),
            number((phase.ended.wal - phase.begin.wal) / 2**20),
            number(max(mib for name, mib in phase.memory.items() if name != "serve")),
        ]
        for phase in watch.phases.values()
    ]
    return Table("What each part of the day cost", header, rows)


def show_waits(watch: Watch, phase: Phase, kinds: Sequence[str], what: str) -> Table:
    """Return how long the runs of the phase waited for their first slice, and took, by size of firm."""
    rows, stage = [], watch.stage
    for size in stage.sizes:
        found = stage.sql.rows(WAITS, list(kinds), size.name, *phase.between)
        waited, took = [row["waited"] for row in found], [row["took"] for row in found]
        shown = (
            [f(values) for values in (waited, took) for f in (median, _p99, max)] if found else []
        )
        rows.append([size.name, f"{len(found):,}", *map(number, shown)])
    header = ["size", "runs", "first slice after s: median", "99 %", "longest"]
    header += ["end after s: median", "99 %", "longest"]
    return Table(what, header, rows)


def _p99(values: Sequence[float]) -> float:
    return percentile(values, 0.99)


def show_queue(watch: Watch) -> Table:
    """Return the age of the queue and the connections in each phase."""
    rows = []
    for phase in watch.phases.values():
        ages = phase.oldest(LANES)
        longest = max(LANES, key=lambda lane: max(phase.oldest([lane]), default=0.0))
        jobs = [sum(count for count, _ in sample.due.values()) for sample in phase.samples]
        rows.append(
            [
                phase.name,
                number(median(ages)),
                number(max(ages)),
                longest if max(ages) else "",
                f"{max(jobs):,}",
                f"{max(sample.connections for sample in phase.samples)}",
                f"{max(sample.active for sample in phase.samples)}",
            ]
        )
    header = ["phase", "oldest due job s: median", "most", "its lane", "due jobs, most"]
    header += ["connections, most", "at work, most"]
    return Table("Queue and connections", header, rows)


def show_ticks(watch: Watch, phase: Phase) -> Table:
    """Return what the regular tasks of each process cost."""
    costs = task_costs(watch.stage, phase)
    rows = [
        [
            cost.process,
            f"`{cost.task}`",
            str(cost.turns),
            number(cost.seconds * 1000),
            number(cost.cpu * 1000),
            number(cost.longest * 1000),
        ]
        for cost in costs
    ]
    header = ["process", "task", "turns", "ms: median", "CPU ms: median", "longest ms"]
    idle = [
        f"{name} {number(seconds / phase.seconds * 1000)}" for name, seconds in phase.cpu.items()
    ]
    note = f"CPU of the whole process, ms a second: {', '.join(idle)}."
    return Table(f"Regular tasks, {phase.name}", header, rows, [note])


def show_sizes(stage: Stage) -> Table:
    """Return the size of the tables for 1,000 contacts."""
    query = """
        select relname, pg_total_relation_size(oid)::float8 as whole, pg_indexes_size(oid)::float8 as indexes
        from pg_class where relkind in ('r', 'p') and relnamespace = 'public'::regnamespace order by 2 desc
    """
    found = stage.sql.rows(query)
    each = stage.contacts / 1000 * 2**20
    all_tables = [sum(row[name] for row in found) for name in ("whole", "indexes")]
    rows = [["all tables", *(f"{value / each:.2f}" for value in all_tables)]]
    rows += [
        [f"`{row['relname']}`", f"{row['whole'] / each:.2f}", f"{row['indexes'] / each:.2f}"]
        for row in found[:14]
    ]
    header = ["table", "MiB for 1,000 contacts", "of it indexes"]
    return Table("Size of the database after the day", header, rows)


def hot_tables(stage: Stage) -> dict[str, Hot]:
    """Return the state of the tables whose rows change often, as PostgreSQL counts it."""
    query = """
        select relname, n_live_tup, n_tup_upd, n_tup_hot_upd, n_tup_del, n_dead_tup, autovacuum_count,
          (pg_total_relation_size(relid) / 1024)::bigint
        from pg_stat_user_tables where relname = any($1)
    """
    return {row[0]: Hot(*list(row)[1:]) for row in stage.sql.rows(query, list(HOT))}


def show_bloat(stage: Stage) -> Table:
    """Return how the hot tables were vacuumed, and what a `vacuum full` makes of their size."""
    before = hot_tables(stage)
    for name in HOT:
        stage.sql.value(f"vacuum full {name}")
    after = hot_tables(stage)
    rows = [
        [
            f"`{name}`",
            f"{hot.rows:,}",
            f"{hot.updated:,}",
            f"{hot.in_page / max(hot.updated, 1):.0%}",
            f"{hot.deleted:,}",
            f"{hot.dead:,}",
            f"{hot.vacuums}",
            f"{hot.kib:,}",
            f"{after[name].kib:,}",
        ]
        for name, hot in ((name, before[name]) for name in HOT)
    ]
    header = ["table", "rows", "updates", "in their page (HOT)", "deletes", "dead rows at the end"]
    header += ["autovacuums", "KiB with indexes", "after `vacuum full`"]
    return Table("Vacuum and bloat of the hot rows", header, rows)
