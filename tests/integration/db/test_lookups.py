"""A page and a batch read their own rows, and not all of a firm, although PostgreSQL has no statistics of it.

So it is in a first run: the firm's rows are written faster than they are analysed, and PostgreSQL takes each firm for a
small one. A statement that reads the firm's rows for each page makes the price of a record grow with the firm.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import event, text
from sqlalchemy.engine import Connection

from app.db.contacts import contact_lists, contact_store, new_clients, similar_clients
from app.db.contacts.contact_lists import ContactFilter
from app.db.list_pages import ListPage
from app.db.mirror import first_pull, rule_inputs, staleness, visibility
from app.db.mirror.records import CONTACTS, MATTERS, RELATIONSHIPS
from app.db.mirror.rule_inputs import CurrentNames
from app.db.mirror.visibility import View
from app.db.session import Database, Session
from tests.integration.db.contacts.test_change_feed import make_account
from tests.support.sessions import as_owner

FIRM = 4000  # rows of each table
IDS = list(range(1, FIRM, FIRM // 20))
MOST = 10 * len(IDS)  # rows that a statement may read for so many ids
ROWS = (
    "insert into mirror_contacts (account_id, clio_id, record, stale, company_id)"
    """ select 'a', n, jsonb_build_object('clio_id', n, 'is_person', true), n % 10 > 0, n + 1""",
    "insert into mirror_matters (account_id, clio_id, record, client_id)"
    " select 'a', n, jsonb_build_object('clio_id', n, 'status', 'open', 'client_id', n), n",
    "insert into mirror_relationships (account_id, clio_id, record, matter_id, contact_id)"
    " select 'a', n, jsonb_build_object('clio_id', n, 'matter_id', n, 'contact_id', n), n, n",
    "insert into sightings (account_id, resource, clio_id, connection_id, digest)"
    " select 'a', 'contacts', n, 'cnx', '\\x00'",
    "insert into contacts (account_id, contact_id, clio_id, version, state, labels, search, view, explanation, run_id,"
    " first_synced_at, updated_at)"
    " select 'a', 'con' || n, n, 1, 'in_scope', '{}', '', cast(:view as jsonb), '{}', 'run', now(), now()",
    "insert into new_clients (account_id, clio_id, new_client_id, contact_id, status, origin, basis, has_open_matter,"
    " run_id, email_digest, name_digest, created_at, matter_ids)"
    " select 'a', n, 'ncl' || n, 'con' || n, 'emitted', 'initial', 'flag', true, 'run', decode(lpad(to_hex(n), 8, '0'),"
    " 'hex'), decode(lpad(to_hex(n), 8, '0'), 'hex'), now(), array[n]",
)
VIEW = '{"profile": {}, "state": "in_scope", "state_reason": null, "tags": []}'
NAMES = CurrentNames({}, {}, {}, {})
DIGESTS = [n.to_bytes(4) for n in IDS]


async def fill(session: Session) -> None:
    for statement in ROWS:
        parameters = {"view": VIEW} if ":view" in statement else {}
        await session.execute(text(f"{statement} from generate_series(1, {FIRM}) n"), parameters)


@contextmanager
def plans_of(session: Session) -> Iterator[list[dict[str, Any]]]:
    """Yield the plans of the statements of the block, each with the rows that it read."""
    found: list[dict[str, Any]] = []
    connection = session.sync_connection
    explaining = False

    def explain(
        executed: Connection, _cursor: object, statement: str, parameters: Any, *_: object
    ) -> None:
        nonlocal explaining
        if explaining or statement.startswith("set"):
            return
        explaining = True
        explained = executed.exec_driver_sql(
            f"explain (analyze, format json) {statement}", parameters
        ).scalar_one()
        explaining = False
        plan = json.loads(explained) if isinstance(explained, str) else explained
        found.append(plan[0]["Plan"])

    event.listen(connection, "before_cursor_execute", explain)
    yield found
    event.remove(connection, "before_cursor_execute", explain)


def rows_read(plan: dict[str, Any]) -> int:
    """Return how many rows the scans of tables in a plan met, those that a filter removed too."""
    own = 0
    if "Relation Name" in plan and plan["Node Type"] != "ModifyTable":
        each = plan["Actual Rows"] + plan.get("Rows Removed by Filter", 0)
        own = int(each * plan["Actual Loops"])
    return own + sum(rows_read(part) for part in plan.get("Plans", ()))


VIEWER = View("a", "cnx", full_view=True)
LOOKUPS = {
    "sightings": lambda s: visibility.load_sightings(s, VIEWER, "contacts", IDS),
    "known contacts": lambda s: s.execute(CONTACTS.stored, {"account": "a", "ids": IDS}),
    "known matters": lambda s: s.execute(MATTERS.stored, {"account": "a", "ids": IDS}),
    "known relationships": lambda s: s.execute(RELATIONSHIPS.stored, {"account": "a", "ids": IDS}),
    "facts": lambda s: rule_inputs.load_facts(s, "a", NAMES, IDS),
    "locked facts": lambda s: rule_inputs.load_facts(s, "a", NAMES, IDS, lock=True),
    "stale facts": lambda s: rule_inputs.load_stale_facts(s, "a", NAMES, beside=None, limit=20),
    "marks of a page": lambda s: staleness.mark_stale(s, "a", staleness.Affected(IDS, IDS, IDS)),
    "cleared marks": lambda s: rule_inputs.clear_stale(s, "a", IDS, kept=IDS[:3]),
    "complete people": lambda s: first_pull.find_complete(s, "a", IDS, ["cnx"]),
    "the walk of a first pull": lambda s: first_pull.list_stale(s, "a", after=2000, limit=20),
    "a batch of a preview": lambda s: rule_inputs.load_facts_after(
        s, "a", NAMES, after=2000, limit=20
    ),
    "people behind": lambda s: rule_inputs.find_behind(s, "a", IDS),
    "a page of contacts": lambda s: contact_lists.list_contacts(
        s, "a", ContactFilter(), ListPage(20, ("con2000",))
    ),
    "published contacts": lambda s: contact_store.load_by_clio_id(s, "a", IDS),
    "new clients": lambda s: new_clients.find_by_clio_ids(s, "a", IDS),
    "addresses": lambda s: similar_clients.find_by_email(s, "a", DIGESTS),
    "clients of matters": lambda s: similar_clients.find_by_matters(s, "a", IDS),
    "alike": lambda s: similar_clients.find_alike(s, "a", DIGESTS, except_run_id="other"),
}


@pytest.mark.parametrize("name", LOOKUPS)
async def test_a_page_reads_its_own_rows_of_a_large_firm(database: Database, name: str):
    await make_account(database, "a")
    async with as_owner(database) as session:
        await session.execute(text("set local plan_cache_mode = force_custom_plan"))
        await fill(session)
        with plans_of(session) as found:
            await LOOKUPS[name](session)
    assert found
    read = {rows_read(plan) for plan in found}
    assert 0 < max(read) <= MOST, found
