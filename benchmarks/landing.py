"""Measures how much longer contacts take to land because of the words by which they are found.

    python -m benchmarks.landing --contacts 10000

On an embedded PostgreSQL and as the service's role, the pages of a first listing land in turns in a firm with words and
in one without. The script prints the wall time, the CPU of this process and of PostgreSQL in milliseconds for each
thousand contacts, and the ratios. It does the same for contacts with another name, and for the same contacts
again. It takes a minute.
"""

import argparse
import asyncio
import os
import random
import statistics
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from unittest.mock import patch

import asyncpg
from sqlalchemy import text

from app.db import migrate
from app.db.connection import Address
from app.db.mirror import records, search_words
from app.db.mirror.visibility import View
from app.db.session import Database, open_database, transaction
from app.rules.records import ContactRecord, Email, Phone
from benchmarks.contact_lists import FIRST, LAST
from tests.chaos.processes import embedded_postgres
from tests.support.postgres import address_of
from tests.support.values import replace

PAGE = 200  # contacts, as Clio lists them
TICK = 1000 / os.sysconf("SC_CLK_TCK")  # milliseconds
PHASES = ("first listing", "changed", "the same again")
Cost = tuple[float, float, float]  # wall, this process, PostgreSQL


def main() -> None:
    """Land the contacts with and without words."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--contacts", type=int, default=10_000)
    arguments = parser.parse_args()
    with embedded_postgres("landing") as (_, dsn):
        asyncio.run(measure(dsn, arguments.contacts))


async def measure(dsn: str, contacts: int) -> None:
    """Print what each phase costs."""
    await migrate.migrate(Address(dsn))
    connection = await asyncpg.connect(dsn)
    for account in ("with", "without"):
        await connection.execute(
            "insert into accounts (account_id, name, time_zone, country, enabled, created_at, updated_at)"
            " values ($1, 'Firm', 'UTC', 'US', true, now(), now())",
            account,
        )
    await connection.close()
    database = open_database(address_of(dsn))
    pages = list(listing(contacts))
    changed = [[replace(one, last_name="Changed") for one in page] for page in pages]
    print(f"{contacts:,} contacts: milliseconds for each thousand, in pages of {PAGE}")
    for phase, found in zip(PHASES, (pages, changed, changed), strict=True):
        await compare(database, phase, found)
    await database.dispose()


async def compare(database: Database, phase: str, pages: Sequence[Sequence[ContactRecord]]) -> None:
    """Land the pages in both firms in turns, and print what it cost."""
    costs: dict[str, list[Cost]] = defaultdict(list)
    for nth, page in enumerate(pages):
        for account in ("with", "without") if nth % 2 else ("without", "with"):
            costs[account].append(await land(database, account, page))
    for account, found in costs.items():
        median = statistics.median(cost[0] for cost in found) / PAGE * 1000
        sums = [sum(values) / len(found) / PAGE * 1000 for values in zip(*found, strict=True)]
        print(
            f"{phase:16} {account:8} wall {sums[0]:7.1f} (median {median:7.1f})"
            f"  python {sums[1]:7.1f}  postgresql {sums[2]:7.1f}"
        )
    with_words, without = costs["with"], costs["without"]
    ratios = (
        statistics.median(a[0] for a in with_words) / statistics.median(b[0] for b in without),
        sum(a[1] + a[2] for a in with_words) / sum(b[1] + b[2] for b in without),
    )
    print(f"{phase:16} ratio    wall (medians) {ratios[0]:.2f}  CPU {ratios[1]:.2f}", flush=True)


async def land(database: Database, account: str, page: Sequence[ContactRecord]) -> Cost:
    """Land one page and return what it cost."""
    began, worked = time.perf_counter(), time.process_time()
    async with transaction(database, account) as session:
        server = int((await session.execute(text("select pg_backend_pid()"))).scalar_one())
        used = cpu_of(server)
        view = View(account, "cnx_1", full_view=True)
        if account == "with":
            await records.land_contacts(session, view, page)
        else:
            with patch.object(search_words, "land", nothing):
                await records.land_contacts(session, view, page)
    wall, own = time.perf_counter() - began, time.process_time() - worked
    return wall * 1000, own * 1000, cpu_of(server) - used


async def nothing(*_: object) -> None:
    """Store no words."""


def cpu_of(process: int) -> float:
    """Return the milliseconds of CPU that a process has used."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) * TICK


def listing(contacts: int) -> Iterator[list[ContactRecord]]:
    """Yield pages of persons with all that they are found by."""
    chance = random.Random(1)  # noqa: S311  # the same people each time
    page = list[ContactRecord]()
    for n in range(1, contacts + 1):
        first, last = chance.choice(FIRST), chance.choice(LAST)
        one = ContactRecord(
            clio_id=n,
            is_person=True,
            first_name=first,
            last_name=f"{last}{chance.choice(LAST).lower()}",
            company_id=10**9 + n % 500,
            company_name=f"{chance.choice(LAST)} Holdings LLC",
            emails=(Email(f"{first}.{last}{n}@firm{n % 3000}.test"),),
            phones=(Phone(f"(919) {chance.randint(200, 999)}-{chance.randint(1000, 9999)}"),),
        )
        page.append(one)
        if len(page) == PAGE:
            yield page
            page = []
    if page:
        yield page


if __name__ == "__main__":
    main()
