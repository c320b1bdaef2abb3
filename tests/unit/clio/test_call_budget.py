"""The budget of one slice: no call begins after its end, nobody sleeps beyond it, and calls in flight are awaited."""

from datetime import timedelta
from typing import Any, NamedTuple

import httpx
import pytest

from app.clio import resources
from app.clio.call_budget import BudgetSpent, CallBudget
from app.clio.errors import ClioReauthRequired, ClioRetryLater
from app.lanes import Lane
from app.sync.concurrency import run_together
from tests.support.scripted_clio import Case, FakeTime, Source, answered, failed, page


class Limits(NamedTuple):
    """The limits of a budget that a case makes, on its own clock."""

    seconds: float = 3.0
    calls: int = 50
    records: int = 50


def case_within(limits: Limits | CallBudget, *answers: Any, **more: Any) -> Case:
    case = Case(*answers, **more)
    if isinstance(limits, Limits):
        limits = CallBudget(case.time.clock().seconds, *limits)
    case.client._transport.within(limits)
    return case


async def read(case: Case) -> list[int]:
    return [
        item.id async for found in case.client.pages(resources.CONTACTS) for item in found.items
    ]


async def test_no_call_begins_after_the_last_one():
    case = case_within(Limits(calls=2), page([1], "a"), page([2], "b"), page([3]))
    with pytest.raises(BudgetSpent) as spent:
        await read(case)
    assert (len(case.clio.requests), spent.value.failure) == (2, None)


async def test_no_call_begins_after_the_time_and_a_call_in_flight_is_awaited():
    def slow(_: httpx.Request) -> httpx.Response:
        case.time.passed += 30.0
        return page([1], "a")

    case = case_within(Limits(), slow)
    pages = case.client.pages(resources.CONTACTS)
    assert [item.id for item in (await anext(pages)).items] == [1]
    with pytest.raises(BudgetSpent):
        await anext(pages)
    assert len(case.clio.requests) == 1


async def test_the_first_call_begins_however_late_it_is():
    # otherwise a slow database could keep a slice from doing anything, again and again
    case = case_within(Limits(), page([1]), page([2]))
    case.time.passed += 60.0
    assert await read(case) == [1]
    with pytest.raises(BudgetSpent):
        await read(case)


async def test_all_logins_and_lanes_of_an_attempt_share_one_budget():
    budget = CallBudget(FakeTime().clock().seconds, calls=3)
    one, other = case_within(budget, page([1])), case_within(budget, page([2]))
    assert (await read(one), await read(other)) == ([1], [2])
    reconciling = one.client.in_lane(Lane.RECONCILE)
    await reconciling.get_many(resources.CONTACTS, [1])
    with pytest.raises(BudgetSpent):
        await read(other)


async def test_a_repeated_request_counts_again():
    case = case_within(Limits(calls=2), failed(401), page([1]), source=Source("token-2"))
    assert await read(case) == [1]
    with pytest.raises(BudgetSpent):
        await read(case)


async def test_each_record_that_is_asked_for_by_its_id_counts():
    case = case_within(Limits(records=50), page(range(1, 50)))
    await case.client.get_many(resources.CONTACTS, range(1, 50))
    with pytest.raises(BudgetSpent):
        await case.client.get_many(resources.CONTACTS, [1, 2])
    case.clio._answers = [answered({"data": {"id": 7, "type": "Person"}})]
    assert (await case.client.get_one(resources.CONTACTS, 7)).id == 7
    with pytest.raises(BudgetSpent):
        await case.client.get_one(resources.CONTACTS, 8)
    assert len(case.clio.requests) == 2


async def test_the_first_request_is_made_however_many_records_it_names():
    # otherwise no attempt would ever make it
    case = case_within(Limits(records=10), page(range(1, 51)))
    await case.client.get_many(resources.CONTACTS, range(1, 51))
    with pytest.raises(BudgetSpent):
        await case.client.get_one(resources.CONTACTS, 7)


@pytest.mark.parametrize("told", ["1", "20"])
async def test_nobody_sleeps_until_a_window_of_the_rate_limit_ends(told: str):
    # S10, F5: without a budget both waits are short enough for a read
    case = case_within(Limits(), failed(429, Retry_After=told), page([1]))
    with pytest.raises(ClioRetryLater) as raised:
        await read(case)
    wait = timedelta(seconds=int(told) + 1)
    assert (raised.value.code, raised.value.after) == ("clio_rate_limited", wait)
    assert (case.time.waits, len(case.clio.requests)) == ([], 1)


async def test_a_call_that_the_rate_limit_does_not_allow_is_given_back():
    budget = CallBudget(FakeTime().clock().seconds, calls=2)
    case = case_within(budget, failed(429, Retry_After="20"))
    for _ in range(5):
        with pytest.raises(ClioRetryLater):
            await read(case)
    assert (budget.calls, len(case.clio.requests)) == (1, 1)


async def test_a_short_wait_at_the_budgets_end_is_no_reason_to_wait():
    # the second request waits for the answer of the first, which alone may go while the limit is unknown
    case = case_within(Limits(), page([1]))
    case.local_limit.reserve(case.time.clock().seconds())
    with pytest.raises(BudgetSpent):
        await read(case)
    assert case.clio.requests == []
    assert sum(case.time.waits) < 3.0


async def test_a_retry_that_comes_after_the_end_pauses_with_the_failure():
    def late(_: httpx.Request) -> httpx.Response:
        case.time.passed += 2.5
        return failed(500)

    case = case_within(Limits(), late)
    with pytest.raises(BudgetSpent) as spent:
        await read(case)
    assert isinstance(spent.value.failure, ClioRetryLater)
    assert len(case.clio.requests) == 1


async def test_a_retry_within_the_budget_is_made():
    case = case_within(Limits(seconds=30.0), failed(500), page([1]))
    assert await read(case) == [1]


async def test_a_failure_that_is_not_retried_is_raised_as_it_is():
    case = case_within(Limits(seconds=0.1), failed(401), source=Source(ClioReauthRequired("x")))
    with pytest.raises(ClioReauthRequired):
        await read(case)


async def test_concurrent_calls_never_exceed_the_budget():
    case = case_within(Limits(calls=5), page([1]))
    await read(case)  # the limit is known now
    spent: list[BudgetSpent] = []

    async def read_or_pause() -> None:
        try:
            await read(case)
        except BudgetSpent as error:
            spent.append(error)

    await run_together(*(read_or_pause() for _ in range(20)))
    assert (len(case.clio.requests), len(spent)) == (5, 16)
