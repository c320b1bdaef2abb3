"""Every command of docs/sandbox.md works with the demonstration as the page says."""

import json
import os
import re
import subprocess
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import httpx
import pytest

from app.simulator.sandbox.actions import ACTIONS
from tests.support.demo import PATIENCE, Demo, demonstrations
from tests.support.waiting import wait_for

PAGE = (Path(__file__).parents[3] / "docs" / "sandbox.md").read_text()
BLOCKS = dict(re.findall(r"```sh ([\w-]+)\n(.*?)```", PAGE, re.DOTALL))


@pytest.fixture
def demo() -> Iterator[Demo]:
    with demonstrations() as start:
        shown = start()
        shown.wait_for(lambda demo: "Press Ctrl-C to stop everything." in demo.output())
        yield shown


def variables(demo: Demo) -> dict[str, str]:
    """Return what the page says to set, from what the demonstration prints."""
    (sandbox,) = re.findall(r"Sandbox +(\S+),", demo.output())
    (token,) = re.findall(r"Token +(\S+)", demo.output())
    (api,) = re.findall(r"'(\S+)/status'", demo.output())
    return {"SANDBOX": sandbox, "TOKEN": token, "API": api, "NO_PROXY": "127.0.0.1"}


def commands(block: str) -> list[str]:
    return block.replace("\\\n", " ").strip().splitlines()


def output(command: str, given: dict[str, str]) -> str | None:
    """Return what a command prints; None if `grep` has not found anything."""
    environment = {"PATH": os.environ["PATH"], **given}  # noqa: TID251  # of a child
    line = ["bash", "-c", f"set -o pipefail; {command}"]
    ended = subprocess.run(line, env=environment, capture_output=True, text=True)
    return ended.stdout if ended.returncode == 0 else None


def ids_of(answer: str) -> dict[str, str]:
    document = json.loads(answer)
    assert "done" in document, document
    found = document["ids"].items()
    return {name.upper(): value for name, value in found if isinstance(value, str)}


def test_the_page_has_commands_for_every_action():
    posted = set(re.findall(r'\$SANDBOX/actions/([\w-]+)"', PAGE))
    assert posted == {action.id for action in ACTIONS}
    assert BLOCKS.keys() == (posted - {"end-faults"}) | {"run"}


def test_every_command_of_the_page_shows_what_it_looks_for(demo: Demo):
    given = variables(demo)
    assert httpx.get(given["SANDBOX"], trust_env=False).is_success
    for name, block in BLOCKS.items():
        for command in commands(block):
            if "| grep" in command:
                find = partial(output, command, given)
                wait_for(find, f"{name}: {command}", patience=PATIENCE)
                continue
            answer = output(command, given)
            assert answer, command
            if "$SANDBOX" in command:
                given |= ids_of(answer)
                if "$API/runs" not in block:  # as the page says; else the commands start one
                    (start,) = commands(BLOCKS["run"])
                    assert output(start, given)
            else:
                assert json.loads(answer)["id"].startswith("run_"), answer
    demo.interrupt()
    assert demo.ended() == 130
    assert demo.left() == []
