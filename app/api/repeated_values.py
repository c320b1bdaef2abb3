"""Refuses a request that a proxy and this service could read differently (ASVS 15.3.7, 4.2.1).

Of a header or a parameter that is sent twice, one of them would read the first and the other one the last. So what the
first has checked is not what the other one does.
"""

from collections import Counter
from urllib.parse import parse_qsl

from starlette.types import Scope

from app.errors import InvalidRequest

ONCE = frozenset(
    (
        *("authorization", "levitate-user", "levitate-role", "idempotency-key", "if-match"),
        *("content-type", "content-length", "transfer-encoding", "host"),
    )
)
LISTS = frozenset(
    {"tag"}
)  # parameters whose values are a list; an operation that has none refuses them
TWICE = "is sent more than once; send it once"
TWO_LENGTHS = "must not be sent together with Transfer-Encoding; leave it out"


def check_values(scope: Scope) -> None:
    """Raise InvalidRequest for a header that is read or a parameter that is sent twice, and for two body lengths."""
    headers = Counter(name.decode("latin-1") for name, _ in scope["headers"])
    parameters = Counter(name for name, _ in parse_qsl(_query(scope), keep_blank_values=True))
    errors = [(f"header:{name}", TWICE) for name in sorted(_repeated(headers) & ONCE)]
    errors += [(f"query:{name}", TWICE) for name in sorted(_repeated(parameters) - LISTS)]
    if {"content-length", "transfer-encoding"} <= headers.keys():
        errors.append(("header:content-length", TWO_LENGTHS))
    if errors:
        raise InvalidRequest(errors=errors)


def _query(scope: Scope) -> str:
    return str(scope["query_string"].decode("latin-1"))


def _repeated(counts: Counter[str]) -> set[str]:
    return {name for name, count in counts.items() if count > 1}
