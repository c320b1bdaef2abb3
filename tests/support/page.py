"""A page of docs/ as its reader uses it: blocks of code, a shell for the commands, and the answers that it shows."""

import json
import os
import re
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from tests.support.waiting import wait_until

PATIENCE = 120.0  # seconds after which a command fails
AGAIN = "again"
LEFT_OUT = (
    "…"  # stands for any value, for any part of a text, and at the end of a list for more items
)
DOCS = Path(__file__).parents[2] / "docs"
_BLOCK = re.compile(
    r"^```(\w+)(?: ([\w-]+))?\n(.*?)^```\n(\n(?=```(?:json|text)\n))?", re.DOTALL | re.MULTILINE
)


@dataclass(frozen=True)
class Block:
    """A block of code: its language, the word after it, its text, and whether the next block is its answer."""

    language: str
    label: str
    text: str
    is_answered: bool


def blocks(name: str) -> list[Block]:
    """Return the blocks of code of a page, in their order."""
    found = _BLOCK.finditer((DOCS / name).read_text())
    return [Block(one[1], one[2] or "", one[3], one[4] is not None) for one in found]


@dataclass(frozen=True)
class Ended:
    """What a block of commands has printed, and the exit status of its last command."""

    output: str
    status: int


class Shell:
    """A bash in a folder, which keeps variables, functions and processes from one block to the next."""

    def __init__(self, folder: Path, environment: Mapping[str, str]) -> None:
        self._folder = folder
        path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])  # noqa: TID251  # of a child
        self._bash = subprocess.Popen(
            ["bash", "--noprofile", "--norc"],
            cwd=folder,
            env={"PATH": path, "HOME": str(folder), "NO_PROXY": "127.0.0.1", **environment},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # so that the processes in its background end with it
        )
        self._ends = 0
        self.run("set -o pipefail")

    def run(self, commands: str) -> Ended:
        """Run commands as if they were typed, and return what they have printed."""
        self._ends += 1
        (self._folder / "block.sh").write_text(commands)
        mark = f"--- end {self._ends}"
        assert self._bash.stdin is not None
        self._bash.stdin.write(f". ./block.sh < /dev/null; printf '\\n{mark} %d\\n' $?\n".encode())
        self._bash.stdin.flush()
        output, _, status = self._read_until(rf"\n{mark} (\d+)\n", commands)
        return Ended(output, int(status))

    def _read_until(self, end: str, commands: str) -> list[str]:
        assert self._bash.stdout is not None
        written, deadline = b"", time.monotonic() + PATIENCE
        pipe = self._bash.stdout.fileno()
        while not (found := re.search(end.encode(), written)):
            ready, _, _ = select.select([pipe], [], [], max(deadline - time.monotonic(), 0))
            assert ready, f"no end after {PATIENCE} s: {commands}\n{written.decode()}"
            read = os.read(pipe, 65536)
            assert read, f"the shell has ended: {commands}\n{written.decode()}"
            written += read
        return [written[: found.start()].decode(), found[0].decode(), found[1].decode()]

    def close(self) -> None:
        """End the shell and everything that it has started."""
        os.killpg(self._bash.pid, signal.SIGKILL)
        self._bash.communicate()


@contextmanager
def shell(folder: Path, **environment: str) -> Iterator[Shell]:
    """Yield a shell in the folder; end it, and all that it has started, when the block ends."""
    opened = Shell(folder, environment)
    try:
        yield opened
    finally:
        opened.close()


def follow(shell: Shell, name: str) -> None:
    """Run every block of commands of a page, and compare each answer with the one that the page shows.

    A block whose label is `again` is repeated until the answer fits, as the page says.
    """
    found = blocks(name)
    for nth, block in enumerate(found):
        if block.language != "sh":
            continue
        answer = found[nth + 1] if block.is_answered else None
        wrong = unlike(answer, shell.run(block.text).output)
        if wrong and block.label == AGAIN:
            at_first = f"{name}: {block.text}\nat first: {wrong}"
            wait_until(partial(_fits_now, shell, block, answer), at_first, patience=PATIENCE)
        else:
            assert not wrong, f"{name}: {block.text}\n{wrong}"


def _fits_now(shell: Shell, block: Block, answer: Block | None) -> bool:
    return unlike(answer, shell.run(block.text).output) is None


def unlike(answer: Block | None, output: str) -> str | None:
    """Return what is different in an output from the answer that the page shows; None if it fits.

    The answer of commands that have none is empty.
    """
    if answer is None:
        return output.strip() or None
    if answer.language == "json":
        try:
            return unlike_value(json.loads(answer.text), json.loads(output))
        except ValueError:
            return f"no JSON: {output}"
    lines = iter(output.splitlines())
    for shown in filter(None, answer.text.splitlines()):
        if not any(_fits(shown, line) for line in lines):
            return f"no line {shown!r} in {output}"
    return None


def unlike_value(shown: object, found: object, at: str = "") -> str | None:
    """Return where a value is different from the one that the page shows; None if it fits.

    Members of an object that the page does not show do not count.
    """
    if shown == LEFT_OUT:
        return None
    if type(shown) is not type(found):
        return f"{at} is {found!r}"
    if isinstance(shown, dict) and isinstance(found, dict):
        missing = shown.keys() - found.keys()
        return _first(f"{at} has no {name}: {found}" for name in missing) or _first(
            unlike_value(shown[name], found[name], f"{at}/{name}") for name in shown
        )
    if isinstance(shown, list) and isinstance(found, list):
        return _unlike_list(shown, found, at)
    fits = _fits(shown, str(found)) if isinstance(shown, str) else shown == found
    return None if fits else f"{at} is {found!r}"


def _unlike_list(shown: list[object], found: list[object], at: str) -> str | None:
    more_may_follow = shown[-1:] == [LEFT_OUT]
    parts = shown[:-1] if more_may_follow else shown
    if len(found) < len(parts) or (len(found) > len(parts) and not more_may_follow):
        return f"{at} has {len(found)} items: {found}"
    pairs = enumerate(zip(parts, found, strict=False))
    return _first(unlike_value(one, other, f"{at}/{nth}") for nth, (one, other) in pairs)


def _first(wrongs: Iterator[str | None]) -> str | None:
    return next(filter(None, wrongs), None)


def _fits(shown: str, found: str) -> bool:
    parts = map(re.escape, shown.split(LEFT_OUT))
    return re.fullmatch(".*".join(parts), found, re.DOTALL) is not None
