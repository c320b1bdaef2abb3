"""Functions that run commands in a test: in this process, which is fast, or as separate processes."""

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

PREFIX = "LEVITATE_CLIO_"


def run(*args: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    """Run a command in this process with the given variables; raise what the command does not handle."""
    at_term = signal.getsignal(signal.SIGTERM)
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith(PREFIX)]:  # noqa: TID251
            patch.delenv(name)
        for name, value in environment.items():
            patch.setenv(PREFIX + name.upper(), value)
        try:
            return _ended(args)
        finally:
            signal.signal(signal.SIGTERM, at_term)
            logs.configure("WARNING", "json")
            with warnings.catch_warnings(action="ignore", category=ResourceWarning):
                gc.collect()  # closes what a process would close when it exits, such as the listening socket


def _ended(args: tuple[str, ...]) -> "subprocess.CompletedProcess[str]":
    result = CliRunner().invoke(cli, args)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return subprocess.CompletedProcess(args, result.exit_code, result.stdout, result.stderr)


def run_process(*args: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    """Run a command as a separate process with the given variables."""
    return subprocess.run(
        [sys.executable, "-m", "app.cli", *args],
        env=process_environment(**environment),
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )


def process_environment(**ours: str) -> dict[str, str]:
    """Return the environment for a process of the service: of our variables, only the given ones."""
    return environment_without_settings() | {
        PREFIX + name.upper(): value for name, value in ours.items()
    }


def refusal(*args: str, **environment: str) -> list[str]:
    """Run a command that must fail with exit code 2 and no output on stdout; return the lines of its stderr."""
    ended = run(*args, **environment)
    assert ended.returncode == 2, ended.stderr
    assert ended.stdout == ""
    return ended.stderr.splitlines()
