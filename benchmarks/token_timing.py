"""Whether the time of an answer shows how much of a wrong token is right, or whether its id exists (T14).

    python -m benchmarks.token_timing [--answers 20000]

It asks the authentication alone, in this process and without a network: a difference that cannot be seen here cannot be
seen from outside. Both kinds are asked in random order, and Welch's t-test compares their times. An absolute t below
4.5 is the usual limit for "no difference was found".
"""

import argparse
import asyncio
import gc
import math
import random
import statistics
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

from app.api.authentication import ApiAuth, Authentication
from app.crypto import new_service_token
from app.db.accounts.service_tokens import ServiceToken, ValidTokens
from app.sync.request_checks import RequestChecks

LIMIT = 4.5
SLOWEST = 0.05  # the share of the slowest times that is left out: the machine did something else
NOW = datetime(2026, 3, 3, tzinfo=UTC)


def main() -> None:
    """Print t for each comparison; exit with 1 if a difference was found."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--answers", type=int, default=20_000, help="answers of each kind")
    answers: int = parser.parse_args().answers
    known, token_id, secret_hash = new_service_token()
    authentication = Authentication(_unreachable)
    app = _app_with(ServiceToken(token_id, "known", secret_hash, None, NOW, None))
    has_difference = False
    for name, kinds in wrong_tokens(known).items():
        t = asyncio.run(compare(authentication, app, kinds, answers))
        has_difference |= abs(t) >= LIMIT
        print(f"{name}: t = {t:+.2f} for 2 x {answers} answers; the limit is {LIMIT}")
    raise SystemExit(has_difference)


def wrong_tokens(known: str) -> Mapping[str, tuple[str, str]]:
    """Return two wrong tokens of the same length for each comparison, given a valid one."""
    begin, secret = _split(known)
    unknown, _ = _split(new_service_token()[0])
    wrong = "x" * len(secret)
    return {
        "the first character is right or wrong": (
            f"{begin}_{secret[0]}{wrong[1:]}",
            f"{begin}_{_other(secret[0])}{wrong[1:]}",
        ),
        "all but the last character are right or wrong": (
            f"{begin}_{secret[:-1]}{_other(secret[-1])}",
            f"{begin}_{wrong}",
        ),
        "the id is known or unknown": (f"{begin}_{wrong}", f"{unknown}_{wrong}"),
    }


async def compare(
    authentication: Authentication, app: Any, kinds: tuple[str, str], answers: int
) -> float:
    """Return Welch's t of the times of two wrong tokens, `answers` times each."""
    headers = [[(b"authorization", f"Bearer {token}".encode())] for token in kinds]
    order = [0, 1] * answers
    random.Random(1).shuffle(order)  # noqa: S311  # only an order
    times: tuple[list[int], list[int]] = ([], [])
    gc.disable()
    for number, kind in enumerate(order):
        if number % 1000 == 0:
            gc.collect()
        scope = _scope(app, headers[kind])
        began = time.perf_counter_ns()
        await authentication(scope, _unreachable, _ignore)
        times[kind].append(time.perf_counter_ns() - began)
    gc.enable()
    return welch(*map(_without_slowest, times))


def welch(one: Sequence[int], other: Sequence[int]) -> float:
    """Return t of Welch's test: the difference of the means in units of its standard error."""
    spread = statistics.variance(one) / len(one) + statistics.variance(other) / len(other)
    return (statistics.fmean(one) - statistics.fmean(other)) / math.sqrt(spread)


def _without_slowest(times: list[int]) -> list[int]:
    return sorted(times)[: int(len(times) * (1 - SLOWEST))]


def _split(token: str) -> tuple[str, str]:
    """Return what comes before the secret of a token, and the secret."""
    prefix, token_id, secret = token.split("_", 2)
    return f"{prefix}_{token_id}", secret


def _other(character: str) -> str:
    return "A" if character != "A" else "B"


def _app_with(token: ServiceToken) -> Any:
    checks = RequestChecks()
    checks.hold_tokens(ValidTokens((token,), bootstrap_is_revoked=False))
    services = SimpleNamespace(request_checks=checks, now=lambda: NOW)
    state = SimpleNamespace(auth=ApiAuth(None, 0, {}), services=services)
    return SimpleNamespace(state=state)


def _scope(app: Any, headers: list[tuple[bytes, bytes]]) -> dict[str, Any]:
    return {
        "type": "http",
        "method": "GET",
        "path": "/v1/accounts",
        "query_string": b"",
        "headers": headers,
        "app": app,
        "state": {"request_id": "req_1"},
    }


async def _unreachable(*_: Any) -> Any:
    raise AssertionError("a wrong token was let through")


async def _ignore(_: Any) -> None:
    pass


if __name__ == "__main__":
    main()
