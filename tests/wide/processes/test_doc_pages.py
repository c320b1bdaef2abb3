"""Every command of docs/integrating.md, console.md and sandbox.md does what the page says, with one demonstration."""

import json
import re
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from app.simulator.sandbox.actions import ACTIONS
from tests.support.demo import Demo, demonstrations
from tests.support.page import DOCS, Shell, blocks, follow, shell
from tests.support.ports import free_port
from tests.support.waiting import wait_for

TRIES, FOUND_WITHIN = 3, 40.0  # of each block; seconds until a command has found what it looks for
SANDBOX = {block.label: block.text for block in blocks("sandbox.md")}


@pytest.fixture(scope="module")
def demo() -> Iterator[Demo]:
    """Yield a demonstration in which nothing waits for Clio's limit of requests: the pages ask more than a person."""
    with demonstrations() as start:
        shown = start("--rate-limit=1000")
        shown.wait_for(lambda demo: "Press Ctrl-C to stop everything." in demo.output())
        yield shown
        shown.interrupt()
        assert shown.ended() == 130
        assert shown.left() == []


@pytest.fixture
def reader(demo: Demo, tmp_path: Path) -> Iterator[Shell]:
    """Yield a shell into which the reader has pasted the line that the demonstration prints."""
    (line,) = re.findall(r"^ +(export SERVICE=.*)$", demo.output(), re.MULTILINE)
    with shell(tmp_path, PORT=str(free_port())) as opened:
        opened.run(line)
        yield opened


def test_every_command_of_integrating_answers_as_the_page_shows(reader: Shell):
    follow(reader, "integrating.md")


def test_every_command_of_linking_to_the_console_answers_as_the_page_shows(reader: Shell):
    follow(reader, "console.md")


def commands(block: str) -> list[str]:
    return block.replace("\\\n", " ").strip().splitlines()


def printed(reader: Shell, command: str) -> str | None:
    """Return what a command prints; None if `grep` has not found anything."""
    ended = reader.run(command)
    return ended.output if ended.status == 0 else None


def test_the_page_has_commands_for_every_action():
    posted = set(re.findall(r'\$SANDBOX/actions/([\w-]+)"', (DOCS / "sandbox.md").read_text()))
    assert posted == {action.id for action in ACTIONS}
    assert SANDBOX.keys() == (posted - {"end-faults"}) | {"before", "run"}


def test_every_command_of_the_sandbox_shows_what_it_looks_for(reader: Shell):
    for name, block in SANDBOX.items():
        found_nothing: str | None = ""
        for _ in range(TRIES):
            if (found_nothing := missed(reader, block)) is None:
                break
        assert found_nothing is None, f"{name}: {found_nothing}"


def missed(reader: Shell, block: str) -> str | None:
    """Run the commands of a block; return the first one that does not find what it looks for, None if all do.

    It happens if a run of Clio's webhooks, which began before, has answered in place of a new one.
    """
    for command in commands(block):
        if "| grep" in command:
            try:
                wait_for(partial(printed, reader, command), command, patience=FOUND_WITHIN)
            except AssertionError as nothing:
                return str(nothing)
        elif "curl" in command:
            _post(reader, command, starts_run="$API/runs" in block)
        else:
            assert printed(reader, command) == "", command
    return None


def _post(reader: Shell, command: str, *, starts_run: bool) -> None:
    """Do an action, set the variables of its ids, and start a run as the page says; or start a run."""
    answer = json.loads(printed(reader, command) or "{}")
    if "$SANDBOX" not in command:
        assert answer["id"].startswith("run_"), answer
        reader.run(f"export RUN_ID={answer['id']}")
        return
    assert "done" in answer, answer
    for name, value in answer["ids"].items():
        if isinstance(value, str):
            reader.run(f"export {name.upper()}={value}")
    if not starts_run:
        _post(reader, commands(SANDBOX["run"])[0], starts_run=True)
