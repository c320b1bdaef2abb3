"""Deliveries under random histories of an endpoint: the oldest pending one of each subject is chosen, and no other."""

import asyncio
import itertools
from datetime import timedelta
from functools import partial
from typing import Any

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import text
from typing_extensions import override

from app.db.accounts import accounts
from app.db.accounts.accounts import AccountFields
from app.db.accounts.service_tokens import BOOTSTRAP_ID
from app.db.events import claims, deliveries, endpoints, events, turns
from app.db.events.claims import Claim
from app.db.events.deliveries import Delivery, DeliveryAttempt, DeliveryFilter, Status
from app.db.events.endpoints import Endpoint
from app.db.events.events import Event, EventKind
from app.db.list_pages import ListPage
from app.db.session import Session
from app.errors import Problem
from tests.support.database_machine import DatabaseMachine
from tests.support.postgres import MIGRATED, Server
from tests.support.sessions import as_owner

ACCOUNTS, SUBJECTS = ("a", "b", "c"), ("con_1", "con_2", "con_3")
RETRY = timedelta(minutes=5)
NUMBERS = itertools.count(1)

# What has to be chosen, said in another way: it reads every row, and does not look at `waits_for`.
DUE_HEADS = text("""
    select delivery_id from (
        select distinct on (d.account_id, d.subject) d.delivery_id,
            d.due_at <= :now or coalesce(d.last_attempt_at < e.hurried_at, false) as is_due
        from deliveries d join webhook_endpoints e using (endpoint_id)
        where d.endpoint_id = :endpoint_id and d.status = 'pending'
        order by d.account_id, d.subject, d.position
    ) heads where is_due
""")
OF_RELEASE_BEFORE = """
    update deliveries d set {} where delivery_id = (
        select delivery_id from deliveries
        where endpoint_id = :endpoint_id and account_id = :account and subject = :subject
            and status = 'pending' order by position limit 1
    )
"""
one_account, one_subject = st.sampled_from(ACCOUNTS), st.sampled_from(SUBJECTS)


class TurnsMachine(DatabaseMachine):
    """An endpoint that is served while events are stored, repeated and deleted, also by the release before."""

    between = timedelta(seconds=1)

    def __init__(self) -> None:
        super().__init__()
        self.endpoint_id = f"whe_{next(NUMBERS)}"
        self.served = ""

    @override
    def teardown(self) -> None:
        self.sql("delete from webhook_endpoints where endpoint_id = :endpoint_id")
        super().teardown()

    def sql(self, statement: str, **values: Any) -> Any:
        values = {"endpoint_id": self.endpoint_id, **values}
        return self.do(lambda session: session.execute(text(statement), values))

    @initialize()
    def endpoint(self) -> None:
        fields = AccountFields("Firm", "UTC", "US", None, enabled=True)
        for account_id in ACCOUNTS:
            self.do(partial(self.put_account, account_id=account_id, fields=fields))
        made = Endpoint(
            self.endpoint_id, BOOTSTRAP_ID, "https://hooks.example.com/", ("*",), "", True, None,
            self.time, self.time,
        )  # fmt: skip
        self.do(lambda session: endpoints.add_endpoint(session, made, sealed_secret="x"))

    async def put_account(self, session: Session, account_id: str, fields: AccountFields) -> None:
        await accounts.put_account(session, account_id, fields, now=self.time)

    @rule(account_id=one_account, subjects=st.lists(one_subject, min_size=1, max_size=4))
    def store_events(self, account_id: str, subjects: list[str]) -> None:
        found = [Event(f"evt_{next(NUMBERS)}", EventKind.CLIENT_NEW, each) for each in subjects]
        self.do(lambda s: events.record_events(s, account_id, found, now=self.time))

    @rule(places=st.integers(1, 4), ends=st.lists(st.sampled_from(Status), min_size=4, max_size=4))
    def serve(self, places: int, ends: list[Status]) -> None:
        chosen = self.chosen(places)
        self.served = chosen[-1].account_id if chosen else self.served
        attempts = [
            DeliveryAttempt(delivery, end, None, None, self.time + RETRY)
            for delivery, end in zip(chosen, ends, strict=False)
        ]
        if attempts:
            self.do(lambda session: deliveries.record_attempts(session, attempts, now=self.time))

    def chosen(self, places: int, *, paused: bool = False) -> list[Delivery]:
        claim = Claim(self.endpoint_id, "", 0, None, self.served, paused, self.time)

        async def choose(session: Session) -> list[Delivery]:
            await turns.wake(session, claim, now=self.time)
            turn = await turns.next_turn(session, claim, places=places, now=self.time)
            return list(turn.chosen)

        found: list[Delivery] = self.do(choose)
        return found

    @rule(minutes=st.integers(1, 10))
    def wait(self, minutes: int) -> None:
        self.time += timedelta(minutes=minutes)

    @rule()
    def recover(self) -> None:
        self.do(lambda session: claims.retry_now(session, self.endpoint_id, now=self.time))

    @rule()
    def disable_and_enable(self) -> None:
        problem = Problem("endpoint_gone", "")
        for change in (
            lambda s: endpoints.disable_endpoint(s, self.endpoint_id, problem, now=self.time),
            lambda s: endpoints.enable_endpoint(s, self.endpoint_id, now=self.time),
        ):
            self.do(change)

    @rule(account_id=one_account, nth=st.integers(0, 9))
    def redeliver(self, account_id: str, nth: int) -> None:
        async def again(session: Session) -> None:
            found = await deliveries.list_deliveries(
                session, self.endpoint_id, DeliveryFilter(), ListPage(10)
            )
            for delivery in found.rows[nth : nth + 1]:
                await deliveries.redeliver(session, delivery, now=self.time)

        self.do(again)

    @rule(account_id=one_account, subject=one_subject, nth=st.integers(0, 3))
    def delete_event(self, account_id: str, subject: str, nth: int) -> None:
        self.sql(
            "delete from events where (account_id, event_id) = (select account_id, event_id"
            " from deliveries where endpoint_id = :endpoint_id and account_id = :account"
            " and subject = :subject order by position offset :nth limit 1)",
            account=account_id, subject=subject, nth=nth,
        )  # fmt: skip

    @rule(account_id=one_account)
    def delete_account_events(self, account_id: str) -> None:
        self.sql(
            "delete from events where account_id = :account and :endpoint_id <> ''",
            account=account_id,
        )

    @rule(account_id=one_account, subject=one_subject, delivers=st.booleans())
    def release_before_serves(self, account_id: str, subject: str, delivers: bool) -> None:
        delivered = "status = 'delivered', last_attempt_at = :now"
        failed = "due_at = cast(:now as timestamptz) + interval '5 minutes', last_attempt_at = :now"
        self.sql(
            OF_RELEASE_BEFORE.format(delivered if delivers else failed),
            account=account_id, subject=subject, now=self.time,
        )  # fmt: skip

    @invariant()
    def the_oldest_pending_delivery_of_each_subject_is_chosen_if_it_is_due(self) -> None:
        found = self.chosen(50)
        values = {"endpoint_id": self.endpoint_id, "now": self.time}
        heads = self.loop.run(self._read(DUE_HEADS, values))
        assert sorted(one.delivery_id for one in found) == sorted(heads)
        of_account = [[one for one in found if one.account_id == each] for each in ACCOUNTS]
        for chosen in of_account:
            assert [one.due_at for one in chosen] == sorted(one.due_at for one in chosen)
        for place, delivery in enumerate(found[:3]):  # in turn: first one of each account
            assert delivery.account_id not in {
                one.account_id for one in found[:place]
            } or place >= sum(map(bool, of_account))

    async def _read(self, statement: Any, values: dict[str, Any]) -> list[str]:
        async with as_owner(self.database) as session:
            return list((await session.execute(statement, values)).scalars())

    @invariant()
    def the_next_slice_is_due_when_something_can_be_chosen(self) -> None:
        at = self.do(lambda s: turns.next_due(s, self.endpoint_id, now=self.time))
        pending = "select min(due_at) from deliveries where endpoint_id = :endpoint_id and status = 'pending'"
        waits = self.sql(pending).scalar_one()
        assert (at is None) == (waits is None)
        if at is not None and at > self.time:
            self.time = at
            assert self.chosen(1)


async def test_only_the_oldest_pending_delivery_of_each_subject_is_chosen_in_any_history(
    server: Server,
):
    # F26, NC-8
    async with server.database(MIGRATED) as dsn:
        TurnsMachine.dsn = dsn
        how = settings(
            max_examples=settings().max_examples // 12,
            stateful_step_count=20,
            deadline=None,
            phases=[Phase.generate],  # to shrink a history takes minutes
            suppress_health_check=[HealthCheck.too_slow],
        )
        await asyncio.to_thread(run_state_machine_as_test, TurnsMachine, settings=how)
