"""New-client rows under random histories of a firm: never a second row, never a missing one [NC-1, NC-4, S6]."""

import itertools
from collections import defaultdict
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from types import SimpleNamespace
from typing import Any

from hypothesis import HealthCheck, assume, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import delete, insert, select

from app.db.accounts import accounts
from app.db.accounts.accounts import AccountFields
from app.db.accounts.audit import Actor
from app.db.contacts import contact_store, new_clients, scope_changes
from app.db.contacts import tables as contact_tables
from app.db.contacts.holds import HoldKind
from app.db.contacts.new_clients import NewClientFilter
from app.db.events import tables as event_tables
from app.db.events.events import EventKind
from app.db.list_pages import ListPage
from app.db.mirror import records, staleness
from app.db.mirror import tables as mirror_tables
from app.db.mirror.rule_inputs import CurrentNames
from app.db.mirror.visibility import View
from app.db.runs.leases import Lease
from app.db.runs.runs import Kind, Reads
from app.db.session import Session
from app.rules.facts import FirmFacts
from app.rules.new_clients import HeldFor, Status
from app.rules.records import ContactRecord, Email, MatterRecord, MatterStatus
from app.rules.results import Assessment, Scope, State
from app.rules.settings import InitialSync, NewClientSettings, Settings
from app.sync.assess import assess, new_client_decisions, replaced_clients, surges
from app.sync.assess.contact_assessments import AssessmentContext
from tests.support.database_machine import DatabaseMachine
from tests.support.values import replace

ACTOR = Actor("token", "u_cat", "success_manager")
numbers = itertools.count(1)


async def _executed(query: Any, session: Session) -> Any:
    return await session.execute(query)


class Crash(Exception):
    """The process dies."""


@dataclass
class Person:
    """A contact as it is in Clio."""

    flag: bool
    name: int
    email: int | None
    reachable: bool = True
    hidden: bool = False  # not visible to the first connection


@dataclass
class World:
    """The state of Clio, or the part of it that is stored here."""

    people: dict[int, Person] = field(default_factory=dict)
    matters: dict[int, tuple[int, bool]] = field(default_factory=dict)  # client, open

    def is_client(self, clio_id: int) -> bool:
        """Return whether the Client tag reaches Levitate: the contact is a client and has a name or an address."""
        person = self.people[clio_id]
        owns = any(client == clio_id for client, _ in self.matters.values())
        return person.reachable and (person.flag or owns)

    def counts(self, clio_id: int, chosen: NewClientSettings) -> bool:
        """Return whether the contact must have a row now [NC-3]."""
        opened = any(client == clio_id and is_open for client, is_open in self.matters.values())
        return self.is_client(clio_id) and (opened or not chosen.require_open_matter)

    def matters_of(self, clio_id: int) -> set[int]:
        return {key for key, (client, _) in self.matters.items() if client == clio_id}


class LedgerMachine(DatabaseMachine):
    """A model of the new-client rows while Clio changes, runs end or crash, people decide and backups are restored."""

    def __init__(self) -> None:
        super().__init__()
        self.account = f"a{next(numbers)}"
        self.clio, self.landed = World(), World()
        self.widened = False
        self.chosen = NewClientSettings()
        self.began = False
        self.runs = itertools.count(1)
        self.expected: set[int] = set()  # contacts that must have a row
        self.event_ids: dict[int, set[str]] = defaultdict(
            set
        )  # all event ids that any receiver got
        self.replays: dict[int, int] = defaultdict(int)
        self.silent: set[int] = set()  # merged from an announced contact: no event may follow
        self.backup: tuple[dict[str, list[dict[str, Any]]], set[int], World, bool] | None = None

    @initialize()
    def firm(self) -> None:
        fields = AccountFields("Firm", "UTC", "US", None, enabled=True)
        self.do(lambda session: accounts.put_account(session, self.account, fields, now=self.time))

    # --- Clio ------------------------------------------------------------------------------------

    @rule(
        flag=st.booleans(),
        name=st.integers(0, 3),
        email=st.none() | st.integers(0, 3),
        hidden=st.booleans(),
    )
    def add_person(self, flag: bool, name: int, email: int | None, hidden: bool) -> None:
        assume(len(self.clio.people) < 8)
        clio_id = 1000 + next(numbers)
        self.clio.people[clio_id] = Person(flag, name, email, hidden=hidden)

    @precondition(lambda self: self.clio.people)
    @rule(data=st.data())
    def flap(self, data: st.DataObject) -> None:
        person = self.clio.people[data.draw(st.sampled_from(sorted(self.clio.people)))]
        if data.draw(st.booleans()):
            person.flag = not person.flag
        else:
            person.reachable = not person.reachable

    @precondition(lambda self: self.clio.people)
    @rule(data=st.data(), is_open=st.booleans())
    def open_matter(self, data: st.DataObject, is_open: bool) -> None:
        client = data.draw(st.sampled_from(sorted(self.clio.people)))
        self.clio.matters[100_000 + next(numbers)] = (client, is_open)

    @precondition(lambda self: self.clio.matters)
    @rule(data=st.data())
    def close_matter(self, data: st.DataObject) -> None:
        matter_id = data.draw(st.sampled_from(sorted(self.clio.matters)))
        self.clio.matters[matter_id] = (self.clio.matters[matter_id][0], False)

    @precondition(lambda self: len(self.clio.people) > 1)
    @rule(data=st.data(), keep_email=st.booleans())
    def merge(self, data: st.DataObject, keep_email: bool) -> None:
        """Merge one contact into another: its matters move, and it is deleted."""
        old, new = data.draw(st.permutations(sorted(self.clio.people)))[:2]
        if keep_email and self.clio.people[old].email is not None:
            self.clio.people[new].email = self.clio.people[old].email
        for matter_id in self.clio.matters_of(old):
            self.clio.matters[matter_id] = (new, self.clio.matters[matter_id][1])
        del self.clio.people[old]

    @precondition(lambda self: self.clio.matters and self.clio.people)
    @rule(data=st.data())
    def move_matter(self, data: st.DataObject) -> None:
        matter_id = data.draw(st.sampled_from(sorted(self.clio.matters)))
        client = data.draw(st.sampled_from(sorted(self.clio.people)))
        self.clio.matters[matter_id] = (client, self.clio.matters[matter_id][1])

    # --- people ----------------------------------------------------------------------------------

    @rule(
        wish=st.sampled_from(InitialSync),
        threshold=st.sampled_from([0, 1, 2, 50]),
        opened=st.booleans(),
    )
    def choose(self, wish: InitialSync, threshold: int, opened: bool) -> None:
        self.chosen = NewClientSettings(
            initial_sync=wish, surge_threshold=threshold, require_open_matter=opened
        )

    @precondition(lambda self: self.expected)
    @rule(data=st.data())
    def decide(self, data: st.DataObject) -> None:
        clio_id = data.draw(st.sampled_from(sorted(self.expected)))
        row = self.rows()[clio_id]
        held = row.status is Status.HELD
        act = data.draw(
            st.sampled_from(
                [new_client_decisions.release_new_client, new_client_decisions.suppress_new_client]
                if held
                else [new_client_decisions.replay_new_client]
            )
        )
        self.do(lambda session: act(session, self.account, row.new_client_id, ACTOR, now=self.time))
        self.replays[clio_id] += act is new_client_decisions.replay_new_client
        self.silent.discard(clio_id)

    # --- runs ------------------------------------------------------------------------------------

    @rule(
        kind=st.sampled_from(["incremental", "incremental", "full", "coverage"]),
        dies=st.sampled_from(["", "", "", "before the batch", "before the end"]),
        asks=st.sampled_from([True, True, True, False]),
    )
    def run(self, kind: str, dies: str, asks: bool) -> None:
        """Do a run; if it does not ask Clio, because Clio is down, who is suspected waits."""
        if not self.began:
            kind = "initial"
        self.widened |= kind == "coverage"
        run_id = f"run_{next(self.runs)}"
        before = self.rows()
        try:
            self.do(lambda session: self._land(session, full=kind == "full"))
            self.do(lambda session: self._assess(session, kind, run_id, dies))
        except Crash:
            return  # nothing was committed; the next run does all of it
        self.began = True
        counting = {i for i in self.landed.people if self.landed.counts(i, self.chosen)}
        fresh = counting - self.expected
        self.expected |= fresh
        self._check_fresh(fresh, before, initial=kind == "initial")
        if dies != "before the end":
            if asks:
                self._decide_suspected(run_id)
            self.do(
                lambda session: surges.announce_or_hold(
                    session, self.account, self.chosen, now=self.time
                )
            )
            self._check_settled(run_id)
        self._remember_events()

    def _check_fresh(self, fresh: set[int], before: dict[int, Any], *, initial: bool) -> None:
        """Check that each new row agrees with the model: held for Clio's answer, or announced."""
        rows = self.rows()
        word = {
            InitialSync.EMIT: (Status.EMITTED, None),
            InitialSync.HOLD: (Status.HELD, HeldFor.SETTING),
            InitialSync.SUPPRESS: (Status.SUPPRESSED, None),
        }[self.chosen.initial_sync]
        for clio_id in fresh:
            said = (rows[clio_id].status, rows[clio_id].held_for)
            if said != (Status.HELD, HeldFor.MERGE):
                assert said == (word if initial else (Status.HELD, HeldFor.RUN)), clio_id
                assert not self._replaced(rows[clio_id], before), clio_id

    def _replaced(self, row: Any, before: dict[int, Any]) -> set[int]:
        """Return the clients who had a matter of this one, and are gone in Clio."""
        return {
            clio_id
            for clio_id, other in before.items()
            if set(other.matter_ids) & set(row.matter_ids)
            and clio_id not in self.clio.people
            and other.merged_into in (None, row.contact_id)
        }

    def _decide_suspected(self, run_id: str) -> None:
        """Do what a run does when Clio answers; a suppressed client must have replaced one who is gone."""
        after, before = 0, self.rows()
        while (one := self.do(partial(self._next_suspected, after=after))) is not None:
            after = one.row.clio_id
            ids = [suspect.clio_id for suspect in one.suspects]
            gone = next((clio_id for clio_id in ids if clio_id not in self.clio.people), None)
            self.do(partial(self._decide_one, run_id=run_id, one=one, gone=gone))
            row = self.rows()[after]
            assert row.held_for is not HeldFor.MERGE
            assert (row.status is Status.SUPPRESSED and row.joined_to is not None) == bool(gone)
            assert gone is not None or not self._replaced(row, before)
            if gone is not None:
                self.silent.add(after)

    async def _next_suspected(self, session: Session, after: int) -> Any:
        return await replaced_clients.next_suspected(session, self.account, after=after)

    async def _decide_one(self, session: Session, run_id: str, one: Any, gone: int | None) -> None:
        run: Any = SimpleNamespace(account_id=self.account, run_id=run_id, reads=Reads.LISTS)
        await replaced_clients.decide_suspected(
            session, run, one, gone, chosen=self.chosen, now=self.time
        )

    def _check_settled(self, run_id: str) -> None:
        rows = self.rows().values()
        assert not [row for row in rows if row.held_for is HeldFor.RUN]
        surge = [row for row in rows if row.run_id == run_id and row.held_for is HeldFor.SURGE]
        announced = self.do(  # row 54: all runs of the machine are at most a day old
            lambda session: scope_changes.count_by_itself(
                session, self.account, HoldKind.NEW_CLIENTS, now=self.time
            )
        )
        assert not surge or len(surge) + announced > self.chosen.surge_threshold

    async def _land(self, session: Session, *, full: bool) -> None:
        """Pull: store all that the connections see; a full pull also finds deleted contacts."""
        seen = {i: p for i, p in self.clio.people.items() if self.widened or not p.hidden}
        matters = {i: m for i, m in self.clio.matters.items() if m[0] in seen}
        view = View(self.account, "cnx_1", full_view=True)
        await records.land_contacts(session, view, [self._contact(i, p) for i, p in seen.items()])
        await records.land_matters(session, view, [self._matter(i, m) for i, m in matters.items()])
        self.landed.people |= deepcopy(seen)
        self.landed.matters |= matters
        if full:
            for clio_id in sorted(self.landed.people.keys() - self.clio.people.keys()):
                await self._delete_contact(session, clio_id)
        await staleness.mark_all_stale(session, self.account, after=0, limit=10_000)

    async def _delete_contact(self, session: Session, clio_id: int) -> None:
        table = mirror_tables.mirror_contacts
        mine = (table.c.account_id == self.account) & (table.c.clio_id == clio_id)
        await session.execute(delete(table).where(mine))
        del self.landed.people[clio_id]
        for stored in (
            await contact_store.load_by_clio_id(session, self.account, [clio_id])
        ).values():
            gone = replace(stored, view=replace(stored.view, state=State.DELETED))
            said = Assessment(
                Scope(False, "deleted", "Gone", "removed_in_clio"), stored.view.profile
            )
            await contact_store.save(session, self.account, [(gone, said)], run_id="run_x")

    def _contact(self, clio_id: int, person: Person) -> ContactRecord:
        named = person.reachable
        addresses = () if person.email is None or not named else (f"E{person.email}@x.test",)
        return ContactRecord(
            clio_id,
            is_person=True,
            first_name="F" if named else None,
            last_name=f"L{person.name}" if named else None,
            title="Mx",  # a record without any field would count as redacted [F19]
            is_client=person.flag,
            emails=tuple(Email(address, primary=True) for address in addresses),
            updated_at=self.time,
        )

    def _matter(self, matter_id: int, matter: tuple[int, bool]) -> MatterRecord:
        status = MatterStatus.OPEN if matter[1] else MatterStatus.CLOSED
        return MatterRecord(matter_id, status, client_id=matter[0], updated_at=self.time)

    async def _assess(self, session: Session, kind: str, run_id: str, dies: str) -> None:
        chosen = Settings(new_client=self.chosen)
        firm, spelling = FirmFacts("US"), CurrentNames({}, {})
        basis = AssessmentContext(
            run_id, "sync", firm, chosen, spelling, "https://app.clio.com", self.time
        )
        lease = Lease(self.account, run_id, 1, timedelta(minutes=1))
        await assess._assess_batch(session, lease, basis, Kind(kind))
        if dies == "before the batch":
            raise Crash

    # --- backups ---------------------------------------------------------------------------------

    @rule()
    def back_up(self) -> None:
        saved = {}
        for table in self._tables():
            query = select(table).where(table.c.account_id == self.account)
            rows = self.do(partial(_executed, query))
            saved[table.name] = [dict(row._mapping) for row in rows]
        self.backup = (saved, set(self.expected), deepcopy(self.landed), self.began)

    @precondition(lambda self: self.backup)
    @rule()
    def restore(self) -> None:
        """Restore a backup: clients that it does not have are announced again, with the same event ids."""
        assert self.backup
        saved, expected, landed, began = self.backup

        async def replace_all(session: Session) -> None:
            for table in reversed(self._tables()):
                await session.execute(delete(table).where(table.c.account_id == self.account))
            for table in self._tables():
                stored = [column.name for column in table.c if not column.identity]
                rows = [{name: row[name] for name in stored} for row in saved[table.name]]
                if rows:
                    await session.execute(insert(table), rows)

        self.do(replace_all)
        self.expected, self.landed, self.began = set(expected), deepcopy(landed), began
        self.silent &= self.expected
        self.backup = None

    def _tables(self) -> list[Any]:
        return [
            mirror_tables.mirror_contacts,
            mirror_tables.mirror_matters,
            contact_tables.contacts,
            contact_tables.new_clients,
            event_tables.events,
        ]

    # --- invariants ------------------------------------------------------------------------------

    def rows(self) -> dict[int, new_clients.NewClient]:
        found = self.do(
            lambda session: new_clients.list_new_clients(
                session, self.account, NewClientFilter(), ListPage(1000)
            )
        )
        return {row.clio_id: row for row in found.rows}

    def _remember_events(self) -> None:
        table = event_tables.events
        query = select(table.c.event_id, table.c.data).where(
            table.c.account_id == self.account, table.c.kind == EventKind.CLIENT_NEW
        )
        for row in self.do(lambda session: session.execute(query)):
            self.event_ids[int(row.data["clio_id"])].add(row.event_id)

    @invariant()
    def every_client_has_one_row_and_nobody_else_has(self) -> None:
        if self.began:
            assert set(self.rows()) == self.expected

    @invariant()
    def only_a_person_announces_a_client_again(self) -> None:
        self._remember_events()
        for clio_id, ids in self.event_ids.items():
            assert len(ids) <= 1 + self.replays[clio_id], clio_id

    @invariant()
    def only_emitted_rows_have_events(self) -> None:
        for row in self.rows().values():
            assert (row.status is Status.EMITTED) == bool(row.event_ids)
            assert (row.status is Status.HELD) == (row.held_for is not None)
            assert set(row.event_ids) <= self.event_ids[row.clio_id]

    @invariant()
    def a_contact_merged_from_an_announced_one_is_not_announced(self) -> None:
        rows = self.rows()
        assert not [clio_id for clio_id in self.silent if rows[clio_id].event_ids]


def test_each_client_has_one_row_and_is_announced_once_in_any_history(dsn: str):
    # NC-1, NC-4, NC-7, NC-8, S6, F18, F30
    LedgerMachine.dsn = dsn
    slow = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much]
    how = settings(
        max_examples=settings().max_examples // 8,
        stateful_step_count=25,
        deadline=None,
        suppress_health_check=slow,
    )
    run_state_machine_as_test(LedgerMachine, settings=how)
