"""The budget of one attempt: no call begins after its end, nobody sleeps beyond it, and calls in flight are awaited."""

from datetime import timedelta
from typing import Any

import httpx
import pytest

from app.clio import resources
from app.clio.call_budget import BudgetSpent, CallBudget
from app.clio.errors import ClioReauthRequired, ClioRetryLater
from app.clio.shared_rate_limit import Lane
from app.sync.concurrency import run_together
from tests.support.scripted_clio import Case, Source, answered, failed, page


def case_within(budget: CallBudget | None, *answers: Any, **more: Any) -> Case:
    case = Case(*answers, **more)
    case.client._transport.within(budget)
    return case


async def read(case: Case) -> list[int]:
    return [
        item.id async for found in case.client.pages(resources.CONTACTS) for item in found.items
    ]


async def test_no_call_begins_after_the_last_one():
    case = case_within(CallBudget(calls=2), page([1], "a"), page([2], "b"), page([3]))
    with pytest.raises(BudgetSpent) as spent:
        await read(case)
    assert (len(case.clio.requests), spent.value.failure) == (2, None)


async def test_no_call_begins_after_the_time_and_a_call_in_flight_is_awaited():
    def slow(_: httpx.Request) -> httpx.Response:
        case.time.passed += 30.0
        return page([1], "a")

    case = case_within(CallBudget(seconds=3.0), slow)
    pages = case.client.pages(resources.CONTACTS)
    assert [item.id for item in (await anext(pages)).items] == [1]
    with pytest.raises(BudgetSpent):
        await anext(pages)
    assert len(case.clio.requests) == 1


async def test_the_time_begins_with_the_first_call():
    case = case_within(CallBudget(seconds=3.0), page([1]))
    case.time.passed += 60.0
    assert await read(case) == [1]


async def test_all_logins_and_lanes_of_an_attempt_share_one_budget():
    budget = CallBudget(calls=3)
    one, other = case_within(budget, page([1])), case_within(budget, page([2]))
    assert (await read(one), await read(other)) == ([1], [2])
    reconciling = one.client.in_lane(Lane.RECONCILE)
    await reconciling.get_many(resources.CONTACTS, [1])
    with pytest.raises(BudgetSpent):
        await read(other)


async def test_a_repeated_request_counts_again():
    case = case_within(CallBudget(calls=2), failed(401), page([1]), source=Source("token-2"))
    assert await read(case) == [1]
    with pytest.raises(BudgetSpent):
        await read(case)


async def test_each_record_that_is_asked_for_by_its_id_counts():
    budget = CallBudget(records=50)
    case = case_within(budget, page(range(1, 50)))
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
    case = case_within(CallBudget(records=10), page(range(1, 51)))
    await case.client.get_many(resources.CONTACTS, range(1, 51))
    with pytest.raises(BudgetSpent):
        await case.client.get_one(resources.CONTACTS, 7)


@pytest.mark.parametrize(("told", "sent"), [("1", 2), ("20", 1)])
async def test_a_wait_for_the_rate_limit_is_slept_only_within_the_budget(told: str, sent: int):
    # S10, F5: without a budget both waits are short enough for a read
    case = case_within(CallBudget(seconds=3.0), failed(429, Retry_After=told), page([1]))
    if sent == 2:
        assert (await read(case), case.time.waits) == ([1], [2.0])
    else:
        with pytest.raises(ClioRetryLater) as raised:
            await read(case)
        assert (raised.value.code, raised.value.after) == (
            "clio_rate_limited",
            timedelta(seconds=21),
        )
        assert case.time.waits == []
    assert len(case.clio.requests) == sent


async def test_a_call_that_the_rate_limit_does_not_allow_is_given_back():
    budget = CallBudget(calls=2)
    case = case_within(budget, failed(429, Retry_After="20"))
    for _ in range(5):
        with pytest.raises(ClioRetryLater):
            await read(case)
    assert (budget.calls, len(case.clio.requests)) == (1, 1)


async def test_a_wait_shorter_than_a_second_at_the_budgets_end_is_no_reason_to_wait():
    # the second request waits for the answer of the first, which alone may go while the limit is unknown
    case = case_within(CallBudget(seconds=3.0), page([1]))
    case.local_limit.reserve(case.time.clock().seconds())
    with pytest.raises(BudgetSpent):
        await read(case)
    assert case.clio.requests == []
    assert sum(case.time.waits) < 3.0


async def test_a_retry_that_comes_after_the_end_pauses_with_the_failure():
    def late(_: httpx.Request) -> httpx.Response:
        case.time.passed += 2.5
        return failed(500)

    case = case_within(CallBudget(seconds=3.0), late)
    with pytest.raises(BudgetSpent) as spent:
        await read(case)
    assert isinstance(spent.value.failure, ClioRetryLater)
    assert len(case.clio.requests) == 1


async def test_a_retry_within_the_budget_is_made():
    case = case_within(CallBudget(seconds=30.0), failed(500), page([1]))
    assert await read(case) == [1]


async def test_a_failure_that_is_not_retried_is_raised_as_it_is():
    case = case_within(CallBudget(seconds=0.1), failed(401), source=Source(ClioReauthRequired("x")))
    with pytest.raises(ClioReauthRequired):
        await read(case)


async def test_concurrent_calls_never_exceed_the_budget():
    budget = CallBudget(calls=5)
    case = case_within(budget, page([1]))
    await read(case)  # the limit is known now
    spent: list[BudgetSpent] = []

    async def read_or_pause() -> None:
        try:
            await read(case)
        except BudgetSpent as error:
            spent.append(error)

    await run_together(*(read_or_pause() for _ in range(20)))
    assert (len(case.clio.requests), len(spent)) == (5, 16)
