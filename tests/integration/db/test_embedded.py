"""Tests of the start of the embedded PostgreSQL. `tests/wide/processes` tests several processes on one server."""

import fcntl
from pathlib import Path

import pytest

from app.db import embedded


def test_one_process_at_a_time_adds_the_system_user_of_the_server(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    # as root on a new machine, the launcher adds a system user before it starts the server
    steps: list[str] = []

    class Launcher:
        def get_server(self, _: Path, **how: object) -> "Launcher":
            with embedded.USERS.open() as users, pytest.raises(BlockingIOError):
                fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
            steps.append(f"built, started: {how['start']}")
            return self

        def start(self) -> None:
            with embedded.USERS.open() as users:
                fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
            steps.append("started")

        def psql(self, statement: str) -> str:
            steps.append("asked for the roles" if "pg_roles" in statement else "made the roles")
            return " count \n-------\n     0\n(1 row)\n"

        def get_uri(self) -> str:
            return "postgresql://"

        def stop(self) -> None:
            steps.append("stopped")

    monkeypatch.setattr(embedded, "launcher", Launcher)
    embedded.start(tmp_path / "pg").stop()
    made = ("asked for the roles", "made the roles")
    assert steps == ["built, started: False", "started", *made, "stopped"]
