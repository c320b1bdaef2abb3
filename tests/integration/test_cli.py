"""The commands as an operator uses them: what goes wrong ends in one clear line that says what to do."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from app.cli.ground import kept_key
from app.crypto import new_key, split_service_token


@pytest.fixture
def dsn_of_nobody() -> str:
    """The address of a database that is not there."""
    return "postgresql://nobody@127.0.0.1:9/none"


def run(*args: str, **environment: str) -> subprocess.CompletedProcess[str]:
    kept = {k: v for k, v in os.environ.items() if not k.startswith("LEVITATE_CLIO_")}  # noqa: TID251
    given = {f"LEVITATE_CLIO_{name.upper()}": value for name, value in environment.items()}
    return subprocess.run(
        [sys.executable, "-m", "app.cli", *args],
        env={**kept, **given},
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )


def test_a_wrong_configuration_is_told_in_a_line_each():
    ended = run("serve", slots="late", public_url="nowhere")
    assert ended.returncode == 2
    assert sorted(ended.stderr.splitlines()) == [
        "LEVITATE_CLIO_PUBLIC_URL: must be an origin such as https://app.example.com, with no path",
        "LEVITATE_CLIO_SLOTS: must be a comma list of HH:MM such as 06:00,18:00",
    ]


def test_a_busy_port_is_told_in_a_line(dsn_of_nobody: str):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        ended = run(
            "serve", f"--port={port}", database_url=dsn_of_nobody, encryption_keys=new_key()
        )
    assert ended.returncode == 2
    assert ended.stderr.splitlines() == [
        f"127.0.0.1:{port} cannot be listened on (Address already in use); choose another with --port"
    ]


def test_a_database_that_is_down_is_told_in_a_line(dsn_of_nobody: str):
    ended = run("serve", "--port=0", database_url=dsn_of_nobody, encryption_keys=new_key())
    assert ended.returncode == 2
    assert ended.stderr.splitlines() == [
        "The database cannot be reached; check LEVITATE_CLIO_DATABASE_URL and that it runs"
    ]


def test_a_missing_key_is_told_with_a_new_one(dsn_of_nobody: str):
    ended = run("serve", "--port=0", database_url=dsn_of_nobody)
    assert ended.returncode == 2
    assert ended.stderr.startswith(
        "LEVITATE_CLIO_ENCRYPTION_KEYS: is missing; set it to 32 random bytes"
    )


def test_a_token_stands_alone_on_the_last_line_and_is_listed_and_revoked(own_dsn: str):
    assert run("migrate", database_url=own_dsn).returncode == 0
    made = run("token", "create", "--name=backend", "--account=hp", database_url=own_dsn)
    assert made.returncode == 0
    (token,) = made.stdout.splitlines()
    parts = split_service_token(token)
    assert parts is not None
    assert parts[0] in run("token", "list", database_url=own_dsn).stdout
    assert run("token", "revoke", parts[0], database_url=own_dsn).returncode == 0
    again = run("token", "revoke", parts[0], database_url=own_dsn)
    assert again.returncode == 2
    assert again.stderr.startswith(f"There is no live token {parts[0]}")


def test_check_says_what_is_missing(own_dsn: str):
    ended = run("check", database_url=own_dsn)
    assert ended.returncode == 2
    assert "the database answers" in ended.stderr
    assert "set LEVITATE_CLIO_REGIONS__US__CLIENT_ID" in ended.stderr


def test_the_key_beside_an_embedded_database_is_made_once_and_is_its_owners(tmp_path: Path):
    path = tmp_path / "data" / "encryption.key"
    first = kept_key(path)
    assert kept_key(path) == first
    assert path.stat().st_mode & 0o777 == 0o600
