"""The fake Clio with what many firms need: the time of each answer, its subscriptions, and what was changed last.

    python -m benchmarks.many_firms.clio --port 8799 --contacts 5000 --window 6

`benchmarks/clio_fake.py` stays as it is. Its rate limit is on: 50 requests of a token in a window. Without the time of
an answer the service would not know when a window ends. It runs with the environment of the references.
"""

import argparse
import asyncio
import importlib
from email.utils import formatdate
from typing import Any

fake: Any = importlib.import_module("benchmarks.clio_fake")  # has no types
make = fake.App

LIMIT = 50  # requests of a token in a window
Answer = tuple[int, bytes, Any]


class Clio:
    """The fake's application, as its server uses it."""

    def __init__(self, arguments: argparse.Namespace) -> None:
        self._app = make(arguments)

    @property
    def stats(self) -> dict[str, Any]:
        """What was asked so far; the server counts here, too."""
        return self._app.stats  # type: ignore[no-any-return]

    @property
    def cfg(self) -> dict[str, Any]:
        """The settings, such as the latency."""
        return self._app.cfg  # type: ignore[no-any-return]

    def handle(self, method: str, target: str, headers: dict[str, str], body: bytes) -> Answer:
        """Answer a request; two functions of its own are added to those of the fake."""
        if target == "/__bench__/hooks":
            return 200, b"", fake.dumps(list(self._app.hooks.values()))
        if target == "/__bench__/touched":
            return 200, b"", fake.dumps(self._touched())
        status, extra, answer = self._app.handle(method, target, headers, body)
        return status, extra + f"Date: {formatdate(usegmt=True)}\r\n".encode(), answer

    def _touched(self) -> dict[str, list[int]]:
        """Return the ids of the records that were changed since the last `restore`."""
        data = self._app.d
        return {kind: [data.ids[kind][i] for i in sorted(old)] for kind, old in data.saved.items()}


def main() -> None:
    """Serve until SIGTERM."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--contacts", type=int, required=True)
    parser.add_argument("--window", type=float, required=True, help="seconds of the rate limit")
    parser.add_argument("--latency-ms", type=float, default=0.0)
    given = parser.parse_args()
    fake.App = Clio
    if uvloop := _uvloop():
        uvloop.install()
    asyncio.run(fake.main(argparse.Namespace(**vars(given), rate_window=given.window, **_DEFAULTS)))


def _uvloop() -> Any:
    try:
        return importlib.import_module("uvloop")
    except ImportError:
        return None


# What the fake's own command line would set.
_DEFAULTS: dict[str, Any] = {
    "host": "127.0.0.1",
    "ratio": 1.2,
    "seed": 1,
    "rate_limit": LIMIT,
    "since": "gt",
    "strict_order": True,
    "gzip": False,
    "fields_mode": "honour",
    "token": "bench-token",
    "tokens": 1,
    "client_id": "",
    "client_secret": "",
    "expires_in": 30 * 86_400,
}


if __name__ == "__main__":
    main()
