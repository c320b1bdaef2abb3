"""A process that reads change feeds with long polls and stores its cursor after it has consumed a page.

    python -m tests.chaos.reader URL TOKEN FOLDER ACCOUNT…

A test kills it and starts it again with the same arguments; it then continues at the cursors that are stored in the
folder. It uses only the HTTP API of the service.
"""

import asyncio
import hashlib
import json
import os
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import httpx

LIMIT = 10
WAIT = 20  # seconds
WORK = 0.1  # seconds for a page; a kill may happen after the page is logged and before its cursor is stored


def digest(line: Mapping[str, Any]) -> str:
    """Return a hash of a line of the feed."""
    return hashlib.blake2b(json.dumps(line, sort_keys=True).encode(), digest_size=12).hexdigest()


class ReaderLog:
    """The lines that were consumed of one feed, in the order of reading, and the position in the feed."""

    def __init__(self, folder: Path, account_id: str) -> None:
        self._lines = folder / f"{account_id}.lines"
        self._position = folder / f"{account_id}.position"

    def position(self) -> tuple[str | None, int]:
        """Return the stored cursor, and the number of the last line before it."""
        if not self._position.exists():
            return None, 0
        cursor, seq = json.loads(self._position.read_text())
        return cursor, seq

    def resume(self) -> tuple[str | None, int]:
        """Log a restart and return the stored position; an incomplete last line in the log is removed."""
        if self._lines.exists():
            os.truncate(self._lines, self._lines.read_bytes().rfind(b"\n") + 1)
        cursor, seq = self.position()
        self._write([{"resumed_after": seq}])
        return cursor, seq

    def consume(self, lines: Iterable[Mapping[str, Any]]) -> None:
        """Log the lines that were read."""
        self._write([{"seq": line["seq"], "digest": digest(line)} for line in lines])

    def store(self, cursor: str, seq: int) -> None:
        """Store the position atomically."""
        new = self._position.with_suffix(".new")
        new.write_text(json.dumps([cursor, seq]))
        new.replace(self._position)

    def entries(self) -> list[dict[str, Any]]:
        """Return all entries of the log."""
        return [json.loads(line) for line in self._lines.read_text().splitlines()]

    def _write(self, entries: Iterable[Mapping[str, Any]]) -> None:
        with self._lines.open("a") as file:
            file.writelines(json.dumps(entry) + "\n" for entry in entries)


async def follow(api: httpx.AsyncClient, account_id: str, log: ReaderLog) -> None:
    """Read a feed without end; repeat the request if the service does not answer."""
    cursor, seq = log.resume()
    while True:
        params: dict[str, Any] = {"limit": LIMIT, "wait": WAIT}
        try:
            answer = await api.get(
                f"/v1/accounts/{account_id}/changes",
                params=params | ({"cursor": cursor} if cursor else {}),
            )
        except httpx.TransportError:
            await asyncio.sleep(0.1)
            continue
        if answer.status_code >= httpx.codes.INTERNAL_SERVER_ERROR:
            await asyncio.sleep(0.1)
            continue
        page = answer.raise_for_status().json()
        if page["data"]:
            log.consume(page["data"])
            await asyncio.sleep(WORK)
            seq = page["data"][-1]["seq"]
        cursor = page["next_cursor"]
        log.store(cursor, seq)


async def main(url: str, token: str, folder: Path, accounts: list[str]) -> None:
    """Follow the feeds of the accounts, each with its own long poll."""
    headers = {"Authorization": f"Bearer {token}"}
    async with (
        httpx.AsyncClient(base_url=url, headers=headers, timeout=60, trust_env=False) as api,
        asyncio.TaskGroup() as polls,
    ):
        for account_id in accounts:
            polls.create_task(follow(api, account_id, ReaderLog(folder, account_id)))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], Path(sys.argv[3]), sys.argv[4:]))
