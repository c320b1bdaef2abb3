"""Who goes first when calls are scarce: people, then what is written back, then what is read."""

from app.clio.budget import KEPT, WINDOW, Budget, Lane

LIMIT = 50


def headers(left: int, *, reset: int = 60) -> dict[str, str]:
    return {
        "x-ratelimit-limit": str(LIMIT),
        "x-ratelimit-remaining": str(left),
        "x-ratelimit-reset": str(1_000_000_000 + reset),
        "date": "Sun, 09 Sep 2001 01:46:40 GMT",
    }


def known_budget() -> Budget:
    budget = Budget()
    assert budget.reserve(0.0, Lane.INITIAL) == 0.0
    budget.learn(headers(LIMIT - 1), 0.0)
    return budget


def taken(budget: Budget, lane: Lane, *, now: float) -> int:
    count = 0
    while budget.reserve(now, lane) == 0.0:
        count += 1
    return count


def test_a_sync_leaves_a_share_of_each_window_to_people_and_write_backs():
    # S10
    budget = known_budget()
    assert taken(budget, Lane.INITIAL, now=1.0) == LIMIT - 1 - int(LIMIT * KEPT)
    assert taken(budget, Lane.RECONCILE, now=1.0) == 0
    assert taken(budget, Lane.WRITE_BACK, now=1.0) == int(LIMIT * KEPT)
    assert budget.reserve(1.0, Lane.PERSON) > 50


def test_what_nobody_wrote_goes_to_the_sync_before_the_window_ends():
    # S10: all calls of a window are used but those of its last seconds
    budget = known_budget()
    used = 1 + sum(taken(budget, Lane.INITIAL, now=float(second)) for second in range(1, 60))
    assert used == LIMIT


def test_a_note_waits_seconds_at_most_while_a_sync_takes_all_it_gets():
    # S10: notes come at any second of the window, the sync is always there first
    for arrival in range(2, 50, 3):
        budget = known_budget()
        for second in range(1, arrival + 1):
            taken(budget, Lane.INITIAL, now=float(second))
        assert budget.reserve(float(arrival), Lane.WRITE_BACK) == 0.0


def test_a_waiting_read_asks_again_before_the_window_ends():
    budget = known_budget()
    taken(budget, Lane.INITIAL, now=1.0)
    assert 0 < budget.reserve(1.0, Lane.INITIAL) <= WINDOW / LIMIT
