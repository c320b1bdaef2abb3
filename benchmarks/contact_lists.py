"""Measures the list of contacts of a large firm under row-level security: each filter, by the service's functions.

    python -m benchmarks.contact_lists --contacts 200000

The script writes contacts, words and new clients with COPY on an embedded PostgreSQL. It prints the median and the 95th
percentile of each kind of page, and of the summary, in milliseconds. It takes two minutes.
"""

import argparse
import asyncio
import json
import random
import statistics
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg

from app.db import migrate
from app.db.accounts.upgrades import words_for
from app.db.connection import Address
from app.db.contacts import visible_contacts
from app.db.contacts.contact_counts import ContactCounts, count_next
from app.db.contacts.contact_lists import ContactFilter
from app.db.contacts.contacts import contact_id_of
from app.db.contacts.published_words import tag_word
from app.db.list_pages import ListPage
from app.db.mirror.audience import EVERYBODY
from app.db.mirror.searches import search_records
from app.db.session import Database, open_database, transaction
from tests.chaos.processes import embedded_postgres
from tests.support.postgres import address_of

ACCOUNT = "bench"
NOW = datetime(2026, 3, 3, 11, tzinfo=UTC)
FIRST = ("Alice", "Bob", "Carla", "Dan", "Eve", "Frank", "Grace", "Henry", "Ivan", "Judy")
ENDS = ("son", "ez", "er", "ia", "ov", "berg", "ley", "ton", "man", "kaya")
LAST = tuple(f"{start}{end}" for start in ("Mor", "Smi", "Jan", "Wil", "Gar") for end in ENDS)
AREAS = tuple(f"Area {n}" for n in range(40))
COLUMNS = (
    "account_id", "contact_id", "clio_id", "version", "state", "owner_user_id", "labels", "search", "view",
    "explanation", "run_id", "first_synced_at", "updated_at",
)  # fmt: skip
PAGES = {
    "everybody": ContactFilter(),
    "q: the beginning of a name": ContactFilter(q="mor"),
    "q: one letter": ContactFilter(q="a"),
    "q: two names": ContactFilter(q="alice morez"),
    "q: a whole address": ContactFilter(q="bob.smiov777@firm777.test"),
    "q: a domain": ContactFilter(q="firm77.test"),
    "q: the end of a number": ContactFilter(q="4711"),
    "q: nobody": ContactFilter(q="zzz"),
    "q: two letters that exclude each other": ContactFilter(q="alice bob"),
    "a common tag": ContactFilter(tag="client"),
    "two tags": ContactFilter(tag="client", more_tags=("area 7",)),
    "tags that exclude each other": ContactFilter(tag="area 7", more_tags=("area 8",)),
    "a tag of 20 people": ContactFilter(tag="rare"),
    "a tag that nobody has": ContactFilter(tag="nobody"),
    "owner": ContactFilter(owner="u7"),
    "an owner of nobody": ContactFilter(owner="u999"),
    "no owner": ContactFilter(unowned=True),
    "deleted": ContactFilter(state="deleted"),
    "out of scope, of a name": ContactFilter(state="out_of_scope", q="smi"),
    "changed in the last minute": ContactFilter(updated_since=NOW - timedelta(minutes=1)),
    "changed in the last month": ContactFilter(updated_since=NOW - timedelta(days=30)),
    "no e-mail address": ContactFilter(problem="no_email"),
    "duplicates": ContactFilter(problem="duplicate"),
    "in quarantine": ContactFilter(problem="quarantined"),
}


def main() -> None:
    """Make the rows, and measure each kind of page."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--contacts", type=int, default=200_000)
    parser.add_argument("--rounds", type=int, default=15)
    arguments = parser.parse_args()
    with embedded_postgres("contact-lists") as (_, dsn):
        asyncio.run(measure(dsn, arguments.contacts, arguments.rounds))


async def measure(dsn: str, contacts: int, rounds: int) -> None:
    """Print the times of each kind of page."""
    await migrate.migrate(Address(dsn))
    await fill(dsn, contacts)
    database = open_database(address_of(dsn))
    print(f"{contacts:,} contacts, {rounds} pages of 50 each")
    print(f"{'':42} {'median':>8} {'95 %':>8} {'rows':>6}   ms")
    for name, wanted in PAGES.items():
        times, found = list[float](), 0
        for nth in range(rounds):
            after = f"con_{'0123456789abcdef'[nth % 16]}" if nth % 2 else ""
            began = time.perf_counter()
            found = await page(database, wanted, after)
            times.append((time.perf_counter() - began) * 1000)
        show(name, times, found)
    times = []
    for nth in range(rounds):
        began = time.perf_counter()
        async with transaction(database, ACCOUNT) as session:
            await search_records(session, ACCOUNT, "mor", EVERYBODY, after=nth, limit=51)
        times.append((time.perf_counter() - began) * 1000)
    show("all pulled records: the beginning of a name", times, 51)
    show("the summary", [await summary(database) for _ in range(3)], contacts)
    await database.dispose()


async def summary(database: Database) -> float:
    """Count all contacts as the API does, and return the milliseconds."""
    began, counts = time.perf_counter(), ContactCounts()
    while counts.after is not None:
        async with transaction(database, ACCOUNT) as session:
            await count_next(session, ACCOUNT, EVERYBODY, counts)
    return (time.perf_counter() - began) * 1000


def show(name: str, times: list[float], found: int) -> None:
    """Print one line."""
    worst = statistics.quantiles(times, n=20)[-1]
    print(f"{name:42} {statistics.median(times):8.1f} {worst:8.1f} {found:6}", flush=True)


async def page(database: Database, wanted: ContactFilter, after: str) -> int:
    """Read one page as the API does, and return how many contacts it has."""
    async with transaction(database, ACCOUNT) as session:
        return len(
            await visible_contacts.list_contacts(
                session, ACCOUNT, wanted, EVERYBODY, ListPage(51, (after,))
            )
        )


async def fill(dsn: str, contacts: int) -> None:
    """Write the rows of a firm, in which three quarters of the pulled people are not in Levitate."""
    connection = await asyncpg.connect(dsn)
    await connection.execute(
        "insert into accounts (account_id, name, time_zone, country, enabled, words_made_for, created_at,"
        " updated_at) values ($1, 'Firm', 'UTC', 'US', true, $2, now(), now())",
        ACCOUNT,
        words_for("US"),
    )
    people = list(persons(contacts))
    await connection.copy_records_to_table(
        "contacts", records=[row for row, _ in people], columns=COLUMNS
    )
    words = (
        (ACCOUNT, clio_id, word) for clio_id, (_, found) in enumerate(people) for word in found
    )
    await connection.copy_records_to_table(
        "search_words", records=words, columns=("account_id", "clio_id", "word")
    )
    pulled = ((ACCOUNT, n, '{"clio_id": 1}', False) for n in range(contacts * 4))
    await connection.copy_records_to_table(
        "mirror_contacts", records=pulled, columns=("account_id", "clio_id", "record", "stale")
    )
    await connection.execute(
        "insert into search_words (account_id, clio_id, word) select $1, n, 'opposing' || n % 1000"
        " from generate_series($2::int, $2 * 4 - 1) n",
        ACCOUNT,
        contacts,
    )
    await connection.execute(
        "insert into new_clients (account_id, clio_id, new_client_id, contact_id, status, origin, basis,"
        " has_open_matter, run_id, created_at, possible_duplicate_of) select account_id, clio_id, 'ncl_' || clio_id,"
        " contact_id, 'emitted', 'initial_sync', 'flag', true, 'run', now(),"
        " case when clio_id % 500 = 0 then 'ncl_1' end from contacts"
    )
    await connection.execute("vacuum analyze")
    await connection.close()


def persons(contacts: int) -> Iterator[tuple[tuple[Any, ...], set[str]]]:
    """Yield the row and the words of each contact."""
    chance = random.Random(1)  # noqa: S311  # the same people each time
    for n in range(contacts):
        first, last = chance.choice(FIRST), chance.choice(LAST)
        address = f"{first}.{last}{n}@firm{n % 3000}.test".lower()
        number = f"919{chance.randint(2000000, 9999999)}"
        area = chance.choice(AREAS)
        labels = ["client", area.lower(), *(["rare"] if n % (contacts // 20) == 0 else [])]
        state = "deleted" if n % 1000 == 0 else "out_of_scope" if n % 20 == 0 else "in_scope"
        owner = f"u{n % 50}" if state == "in_scope" and n % 97 else None
        profile = {
            "first_name": first, "middle_name": None, "last_name": last, "prefix": None, "title": "Teacher",
            "company": {"clio_id": 10**9 + n % 500, "name": f"{last} Holdings LLC"},
            "emails": [{"address": address, "kind": "Home", "primary": True}],
            "phones": [{"number": f"+1{number}", "raw": number, "kind": "Mobile", "primary": True}],
            "addresses": [],
        }  # fmt: skip
        view = {
            "state": state, "state_reason": None, "profile": profile,
            "tags": [{"label": label, "category": "practice_area", "restricted": False} for label in labels],
            "owner": owner and {"user_id": owner, "rule": "responsible_attorney"}, "key_facts": [],
        }  # fmt: skip
        changed = NOW - timedelta(seconds=n * 60)
        row = (
            ACCOUNT, contact_id_of(ACCOUNT, n), n, 1, state, owner, labels, "", json.dumps(view), "{}", "run",
            changed, changed,
        )  # fmt: skip
        words = {first.lower(), last.lower(), "holdings", "llc", address, address.partition("@")[2]}
        words |= {
            number,
            f"#{number[::-1]}1",
            *(["=no_email"] if n % 50 == 0 else []),
            *(tag_word(label) for label in labels),
        }
        yield row, words


if __name__ == "__main__":
    main()
