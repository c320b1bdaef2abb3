"""`levitate-clio simulator` prints what is needed to connect a service to it."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from app.config import Config
from tests.support.commands import process_environment
from tests.support.ports import free_port


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
