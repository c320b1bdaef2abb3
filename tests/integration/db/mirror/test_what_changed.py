"""What a run counts only when it has changed is at any time what a count of the whole firm gives [S4, S7, row 22]."""

import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import insert, select, text, update

from app.db import issues as issue_store
from app.db.connections import tables as connection_tables
from app.db.mirror import coverage, hidden_matters, records, removals, visibility
from app.db.mirror import tables as mirror_tables
from app.db.mirror.coverage import Coverage
from app.db.mirror.visibility import View
from app.db.runs import tables as run_tables
from app.db.session import Database, Session, transaction
from app.main import now
from app.rules.records import ContactRecord, MatterRecord, MatterStatus
from app.rules.removed_contacts import REMOVED
from app.sync import issues
from tests.integration.db.contacts.test_change_feed import make_account
from tests.support.sessions import listen, unlisten
from tests.support.values import replace

T0 = now()
LOGINS = ("cnx_1", "cnx_2", "cnx_3")
IDS = range(1, 7)
CHANGES = 60
Step = Callable[[Session], Awaitable[object]]


@dataclass
class Firm:
    """A firm to which anything happens in a random order, as the steps of a run would store it."""

    chance: random.Random
    time: datetime = T0
    counted: Coverage | None = None
    updated: dict[int, datetime] = field(default_factory=dict)

    async def change(self, session: Session) -> str:
        """Do one random change; return its name."""
        steps: tuple[Step, ...] = (
            self.land, self.land, self.lose, self.remove, self.leave, self.work, self.read,
        )  # fmt: skip
        step = self.chance.choice(steps)
        self.time += timedelta(minutes=1)
        await step(session)
        return getattr(step, "__name__", "")

    def _view(self) -> View:
        return View("a", self.chance.choice(LOGINS), full_view=True)

    async def land(self, session: Session) -> None:
        clio_id, view = self.chance.choice(IDS), self._view()
        if self.chance.random() < 0.5:
            self.updated[clio_id] = self.time
        contact = ContactRecord(clio_id=clio_id, is_person=True, updated_at=T0)
        matter = MatterRecord(
            clio_id=clio_id, status=MatterStatus.OPEN, updated_at=self.updated.get(clio_id, T0)
        )
        await records.land_contacts(session, view, [contact])
        await records.land_matters(session, view, [matter])

    async def lose(self, session: Session) -> None:
        view = self._view()
        for resource in ("contacts", "matters"):
            clio_ids = self.chance.sample(IDS, 2)
            await visibility.delete_sightings(session, view, resource, clio_ids)

    async def remove(self, session: Session) -> None:
        resource = self.chance.choice(("contacts", "matters"))
        clio_id = self.chance.choice(IDS)
        await removals.remove_records(session, "a", resource, [clio_id], why=REMOVED)

    async def leave(self, session: Session) -> None:
        await self._set_login(session, "disconnected", self.time)

    async def work(self, session: Session) -> None:
        await self._set_login(session, "connected", None)

    async def _set_login(self, session: Session, status: str, left_at: datetime | None) -> None:
        logins = connection_tables.connections
        one = logins.c.connection_id == self.chance.choice(LOGINS)
        await session.execute(update(logins).where(one).values(status=status, left_at=left_at))
        self.counted = None  # the caller counts whenever a login begins or ceases to work

    async def read(self, session: Session) -> None:
        """Let a login read its list of matters to its end."""
        pull = {"connection_id": self.chance.choice(LOGINS), "resource": "matters"}
        run_id = f"run_{self.time.isoformat()}"
        await session.execute(
            insert(run_tables.pulls).values(
                account_id="a", run_id=run_id, **pull, asked_at=self.time, complete=True
            )
        )


async def update_hidden(session: Session) -> None:
    """Update the hidden matters as a run does, in pages of two."""
    viewers = await hidden_matters.load_viewers(session, "a")
    after: int | None = 0
    while after is not None:
        after = await hidden_matters.update_hidden_matters(
            session, "a", everything=viewers.changed, after=after, limit=2
        )
    await hidden_matters.store_viewers(session, "a", viewers)


async def hidden(session: Session) -> set[int]:
    table = mirror_tables.mirror_matters
    return set((await session.execute(select(table.c.clio_id).where(table.c.hidden))).scalars())


# What is right, said of the whole firm.
_HIDDEN = text("""
    select distinct m.clio_id from mirror_matters m
    join connections c on c.status = 'connected' and c.full_view
    join pulls p on p.connection_id = c.connection_id and p.resource = 'matters' and p.complete
      and p.asked_at >= (m.record ->> 'updated_at')::timestamptz
    where not exists (select from sightings s where s.resource = 'matters'
      and s.clio_id = m.clio_id and s.connection_id = c.connection_id)
""")
_ALONE = text("""
    select s.connection_id, s.resource, count(*) from sightings s
    where not exists (select from sightings o join connections c using (account_id, connection_id)
      where o.resource = s.resource and o.clio_id = s.clio_id and c.status = 'connected')
    group by 1, 2
""")
_UNSEEN = text("""
    select (select count(*) from mirror_contacts m where gone is null and not exists (
      select from sightings s where s.resource = 'contacts' and s.clio_id = m.clio_id)) as contacts,
    (select count(*) from mirror_matters m where not exists (
      select from sightings s where s.resource = 'matters' and s.clio_id = m.clio_id)) as matters
""")


async def whole_firm(session: Session) -> tuple[object, object]:
    alone = {tuple(row[:2]): row[2] for row in await session.execute(_ALONE)}
    return alone, dict((await session.execute(_UNSEEN)).one()._mapping)


def as_whole(counted: Coverage) -> tuple[object, object]:
    flat = {
        (login, kind): getattr(sole, kind)
        for login, sole in counted.alone.items()
        for kind in ("contacts", "matters")
        if getattr(sole, kind)
    }
    return flat, counted.unseen


@pytest.mark.parametrize("seed", range(4))
async def test_a_count_of_what_changed_is_a_count_of_the_whole_firm(
    database: Database, seed: int, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(coverage, "PAGE", 2)
    await make_account(database, "a")
    firm, noted = Firm(random.Random(seed)), 0  # noqa: S311
    logins = connection_tables.connections
    async with transaction(database, "a") as session:
        for login in LOGINS:
            values = {"user_id": login, "region": "us", "status": "connected", "full_view": True}
            await session.execute(
                insert(logins).values(account_id="a", connection_id=login, created_at=T0, **values)
            )
        for _ in range(CHANGES):
            step = await firm.change(session)
            changed = await coverage.take_changes(session, "a")
            noted += changed
            if changed or firm.counted is None:
                firm.counted = await coverage.count_coverage(session, "a", LOGINS)
            assert as_whole(firm.counted) == await whole_firm(session), step
            await update_hidden(session)
            right = set((await session.execute(_HIDDEN)).scalars())
            assert await hidden(session) == right, step
    assert 0 < noted < CHANGES, "most changes need no count"


async def test_an_ordinary_pull_of_several_logins_notes_nothing(database: Database):
    # so the end of a run counts nothing: new records, records that another login shows too, changed ones
    await make_account(database, "a")
    ann, ben = (View("a", login, full_view=True) for login in LOGINS[:2])
    logins = connection_tables.connections
    async with transaction(database, "a") as session:
        for view, left in ((ann, None), (ben, None), (View("a", LOGINS[2], full_view=True), T0)):
            values = {"user_id": view.connection_id, "region": "us", "full_view": True}
            values["status"] = "disconnected" if left else "connected"
            await session.execute(
                insert(logins).values(
                    account_id="a", connection_id=view.connection_id, created_at=T0, left_at=left,
                    **values,
                )
            )  # fmt: skip
        person = ContactRecord(clio_id=1, is_person=True, last_name="Moreno", updated_at=T0)
        later = replace(person, last_name="Vale", updated_at=T0 + timedelta(days=1))
        for view, record in ((ann, person), (ben, person), (ann, later), (ben, later)):
            await records.land_contacts(session, view, [record])
        await visibility.delete_sightings(session, ben, "contacts", [1])
        assert not await coverage.has_changed(session, "a")
        await visibility.delete_sightings(session, ann, "contacts", [1])
        assert await coverage.has_changed(session, "a")


@pytest.fixture
async def former(database: Database) -> Database:
    """A firm of two working logins and one that left 40 days ago, which alone sees every third record."""
    await make_account(database, "a")
    async with transaction(database, "a") as session:
        for nth, login in enumerate(LOGINS):
            left = T0 - timedelta(days=40) if nth == 2 else None
            values = {"user_id": login, "region": "us", "full_view": True, "left_at": left}
            values["status"] = "disconnected" if left else "connected"
            await session.execute(
                insert(connection_tables.connections).values(
                    account_id="a", connection_id=login, created_at=T0, **values
                )
            )
            for clio_id in range(3, 22, 3) if nth == 2 else set(range(1, 22)) - {*range(3, 22, 3)}:
                record = ContactRecord(clio_id=clio_id, is_person=True, updated_at=T0)
                await records.land_contacts(session, View("a", login, full_view=True), [record])
    return database


async def sweep(session: Session) -> int:
    """Remove what expired as a run does; return how many pages that took."""
    place, pages = await issues.find_expiry(session, "a", now=T0), 0
    while place is not None:
        place, pages = await issues.remove_expired(session, "a", place, now=T0), pages + 1
    return pages


async def test_what_only_a_login_saw_that_left_long_ago_is_removed_page_by_page_and_once(
    former: Database, monkeypatch: pytest.MonkeyPatch
):
    # S4
    monkeypatch.setattr("app.sync.issues.BATCH", 4)
    table = mirror_tables.mirror_contacts
    async with transaction(former, "a") as session:
        assert await sweep(session) > 8
        gone = select(table.c.clio_id).where(table.c.gone.is_not(None)).order_by(table.c.clio_id)
        assert list((await session.execute(gone)).scalars()) == list(range(3, 22, 3))
        await coverage.take_changes(session, "a")
        assert await sweep(session) == 0, "nothing has changed"
        late = ContactRecord(clio_id=30, is_person=True, updated_at=T0)
        await records.land_contacts(session, View("a", LOGINS[2], full_view=True), [late])
        assert await sweep(session) > 8, "a page of the ended login landed late"
        assert list((await session.execute(gone)).scalars())[-1] == 30


async def test_the_end_of_an_ordinary_run_counts_nothing_of_the_whole_firm(former: Database):
    statements: list[str] = []

    def note(*given: Any) -> None:
        statements.append(given[2])

    async with transaction(former, "a") as session:
        aside = {"run_id": "run_1", "resource": "contacts", "detail": "x", "since": T0}
        await session.execute(
            insert(run_tables.logins_set_aside).values(
                account_id="a", connection_id=LOGINS[0], **aside
            )
        )
        await issues.update_after_pull(session, "a", LOGINS[:2], (), now=T0)
        found = await issue_store.list_open(session, "a", issue_store.SEVERITIES.keys())
        codes = {issue.code: issue.detail for issue in found}
        assert "7 contacts" in codes["coverage_lost"]
        assert "the 14 contacts" in codes["login_set_aside"]
        listen(former, "before_cursor_execute", note)
        await issues.update_after_pull(session, "a", LOGINS[:2], (), now=T0)
        unlisten(former, "before_cursor_execute", note)
        assert statements
        assert not [one for one in statements if "sightings" in one or "mirror_" in one]
        new = ContactRecord(clio_id=31, is_person=True, updated_at=T0)
        for login in (LOGINS[0], LOGINS[2]):
            await records.land_contacts(session, View("a", login, full_view=True), [new])
        await issues.update_after_pull(session, "a", LOGINS[:2], (), now=T0)
        found = await issue_store.list_open(session, "a", issue_store.SEVERITIES.keys())
        codes = {issue.code: issue.detail for issue in found}
        assert "the 15 contacts" in codes["login_set_aside"]
