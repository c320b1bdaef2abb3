"""A reader of feeds as a process of its own, to be killed: long polls, and a place that is stored after consuming.

    python -m tests.chaos.reader URL TOKEN FOLDER ACCOUNT…

Whoever kills it starts it again with the same words: it goes on at the places stored in the folder. It knows nothing
of the service but its address.
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
WORK = 0.1  # seconds that consuming a page takes: a kill may fall between the page and its place


def digest(line: Mapping[str, Any]) -> str:
    """What tells one line of a feed from another."""
    return hashlib.blake2b(json.dumps(line, sort_keys=True).encode(), digest_size=12).hexdigest()


class Notebook:
    """What was consumed of one feed, in the order in which it came, and how far."""

    def __init__(self, folder: Path, account_id: str) -> None:
        self._lines = folder / f"{account_id}.lines"
        self._place = folder / f"{account_id}.place"

    def place(self) -> tuple[str | None, int]:
        """The stored cursor, and the number of the last line before it."""
        if not self._place.exists():
            return None, 0
        cursor, seq = json.loads(self._place.read_text())
        return cursor, seq

    def resume(self) -> tuple[str | None, int]:
        """Begin again where the place is stored; a line that was half written down was not consumed."""
        if self._lines.exists():
            os.truncate(self._lines, self._lines.read_bytes().rfind(b"\n") + 1)
        cursor, seq = self.place()
        self._write([{"resumed_after": seq}])
        return cursor, seq

    def consume(self, lines: Iterable[Mapping[str, Any]]) -> None:
        """Write down which lines came."""
        self._write([{"seq": line["seq"], "digest": digest(line)} for line in lines])

    def store(self, cursor: str, seq: int) -> None:
        """Move the place, at once or not at all."""
        new = self._place.with_suffix(".new")
        new.write_text(json.dumps([cursor, seq]))
        new.replace(self._place)

    def entries(self) -> list[dict[str, Any]]:
        """All that was written down."""
        return [json.loads(line) for line in self._lines.read_text().splitlines()]

    def _write(self, entries: Iterable[Mapping[str, Any]]) -> None:
        with self._lines.open("a") as file:
            file.writelines(json.dumps(entry) + "\n" for entry in entries)


async def follow(api: httpx.AsyncClient, account_id: str, notebook: Notebook) -> None:
    """Read a feed for ever; a service that does not answer is asked again."""
    cursor, seq = notebook.resume()
    while True:
        asked: dict[str, Any] = {"limit": LIMIT, "wait": WAIT}
        try:
            answer = await api.get(
                f"/v1/accounts/{account_id}/changes",
                params=asked | ({"cursor": cursor} if cursor else {}),
            )
        except httpx.TransportError:
            await asyncio.sleep(0.1)
            continue
        if answer.status_code >= httpx.codes.INTERNAL_SERVER_ERROR:
            await asyncio.sleep(0.1)
            continue
        page = answer.raise_for_status().json()
        if page["data"]:
            notebook.consume(page["data"])
            await asyncio.sleep(WORK)
            seq = page["data"][-1]["seq"]
        cursor = page["next_cursor"]
        notebook.store(cursor, seq)


async def main(url: str, token: str, folder: Path, accounts: list[str]) -> None:
    """Follow the feeds of these accounts, each with a poll of its own."""
    headers = {"Authorization": f"Bearer {token}"}
    async with (
        httpx.AsyncClient(base_url=url, headers=headers, timeout=60, trust_env=False) as api,
        asyncio.TaskGroup() as polls,
    ):
        for account_id in accounts:
            polls.create_task(follow(api, account_id, Notebook(folder, account_id)))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], Path(sys.argv[3]), sys.argv[4:]))
