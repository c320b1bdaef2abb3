"""`levitate-clio simulator` prints what is needed to connect a service to it."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

import httpx
import pytest

from app.config import Config
from tests.support.commands import process_environment
from tests.support.ports import free_port
from tests.support.waiting import wait_for


@contextmanager
def simulator(*options: str) -> Iterator["subprocess.Popen[str]"]:
    process = subprocess.Popen(
        [sys.executable, "-m", "app.cli", "simulator", "--contacts=20", *options],
        env=process_environment(),
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def lines(process: "subprocess.Popen[str]", last: str) -> Iterator[str]:
    """Yield what the process prints until a line begins with `last`."""
    assert process.stderr is not None
    for line in process.stderr:
        yield line.rstrip("\n")
        if line.startswith(last):
            return


def test_it_prints_the_variables_with_which_a_service_connects(monkeypatch: pytest.MonkeyPatch):
    port = free_port(4)
    callback = "http://127.0.0.1:8123/oauth/clio/callback"
    with simulator(f"--port={port}", f"--redirect-uri={callback}") as process:
        printed = list(lines(process, "Registered redirect URI:"))
        for name in [name for name in os.environ if name.startswith("LEVITATE_CLIO_")]:  # noqa: TID251
            monkeypatch.delenv(name)
        for name, value in re.findall(r"(?m)^export (\w+)=(.*)$", "\n".join(printed)):
            monkeypatch.setenv(name, value)
        config = Config()
    assert printed[-1] == f"Registered redirect URI: {callback}"
    assert config.public_url == "http://127.0.0.1:8123"
    assert config.return_origin_list() == {"http://127.0.0.1:8123"}
    for nth, region in enumerate(("us", "eu", "ca", "au")):
        app = config.regions[region]  # type: ignore[index]
        assert app.origin == f"http://127.0.0.1:{port + nth}"
        assert app.client_id == f"levitate-{region}"
        assert app.client_secret.get_secret_value() == f"simulated-secret-of-{region}"


def test_it_listens_where_it_is_told_and_prints_that_address():
    port = free_port(4)
    with simulator(f"--port={port}", "--host=localhost") as process:
        printed = list(lines(process, "Registered redirect URI:"))
        assert (
            f"Clio us at http://localhost:{port}, its sandbox at http://localhost:{port}/sandbox"
            in printed
        )
        assert f"export LEVITATE_CLIO_REGIONS__AU__ORIGIN=http://localhost:{port + 3}" in printed
        sandbox = wait_for(partial(page_of, f"http://localhost:{port}/sandbox"), "no page")
    assert "Each button makes something happen" in sandbox


def page_of(address: str) -> str | None:
    try:
        return httpx.get(address, trust_env=False).raise_for_status().text
    except httpx.ConnectError:
        return None


def test_a_page_of_another_site_reaches_neither_the_sandbox_nor_the_control_endpoints():
    port = free_port(4)
    with simulator(f"--port={port}") as process:
        list(lines(process, "Registered redirect URI:"))
        base = f"http://127.0.0.1:{port}"
        wait_for(partial(page_of, base), "no page")
        for path in ("_simulator/faults", "_simulator/quirks", "sandbox/actions/surge"):
            for headers in ({"origin": "https://evil.test"}, {"host": "evil.test"}):
                answer = httpx.post(f"{base}/{path}", json={}, headers=headers, trust_env=False)
                assert (answer.status_code, answer.json()["code"]) == (403, "foreign_request")
