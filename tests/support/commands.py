"""The commands in a test: run in this process, which is fast, or as processes of their own."""

import gc
import os
import signal
import subprocess
import sys
import warnings

import pytest
from typer.testing import CliRunner

from app import logs
from app.cli.commands import cli
from app.demo.processes import environment_without_settings

OURS = "LEVITATE_CLIO_"


def run(*args: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    """Run a command in this process with the given variables; raises what the command does not handle."""
    at_term = signal.getsignal(signal.SIGTERM)
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith(OURS)]:  # noqa: TID251
            patch.delenv(name)
        for name, value in environment.items():
            patch.setenv(OURS + name.upper(), value)
        try:
            return _ended(args)
        finally:
            signal.signal(signal.SIGTERM, at_term)
            logs.configure("WARNING", "json")
            with warnings.catch_warnings(action="ignore", category=ResourceWarning):
                gc.collect()  # what a process leaves to its end, such as the socket to listen on


def _ended(args: tuple[str, ...]) -> "subprocess.CompletedProcess[str]":
    result = CliRunner().invoke(cli, args)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return subprocess.CompletedProcess(args, result.exit_code, result.stdout, result.stderr)


def run_process(*args: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    """Run a command as a process of its own with the given variables."""
    return subprocess.run(
        [sys.executable, "-m", "app.cli", *args],
        env=process_environment(**environment),
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )


def process_environment(**ours: str) -> dict[str, str]:
    """The environment of a process of the service: of our variables it has the given ones only."""
    return environment_without_settings() | {
        OURS + name.upper(): value for name, value in ours.items()
    }


def refusal(*args: str, **environment: str) -> list[str]:
    """What a command says that refuses; it ends with exit code 2 and prints nothing on stdout."""
    ended = run(*args, **environment)
    assert ended.returncode == 2, ended.stderr
    assert ended.stdout == ""
    return ended.stderr.splitlines()
