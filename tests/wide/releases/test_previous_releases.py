"""The last two releases work on the present schema: a deploy replaces one process after another (F27)."""

import asyncio
import json
import subprocess
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import asyncpg
import pytest
from typing_extensions import override

from app.db.job_queue import EARLIER_JOBS
from tests.chaos.processes import Program, Stack, embedded_postgres, roles_of, running_stack
from tests.support.commands import run
from tests.support.postgres import fastest_folder
from tests.support.waiting import wait_until

ROOT = Path(__file__).parents[3]
CONFIG = tomllib.loads((ROOT / "pyproject.toml").read_text())
RELEASES: list[str] = CONFIG["tool"]["levitate-clio"]["releases"]
DO_NOT_START_ON_A_NEWER_SCHEMA = RELEASES[:2]
PATIENCE = 30.0  # seconds


def code_of(release: str, folder: Path) -> Path:
    """Return a folder with the code of a release, from the git history."""
    archive = folder / "code.tar"
    done = subprocess.run(["git", "archive", f"--output={archive}", release], cwd=ROOT, check=False)
    assert done.returncode == 0, (
        f"the commit {release} is not in this clone; run `git fetch --unshallow`"
    )
    tree = folder / "code"
    tree.mkdir()
    subprocess.run(["tar", "-xf", archive, "-C", tree], check=True)
    return tree


@contextmanager
def receiver() -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """Accept events at an address; yield it, and the events that arrived."""
    arrived: list[dict[str, Any]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            length = int(self.headers["content-length"])
            arrived.append(json.loads(self.rfile.read(length)))
            self.send_response(204)
            self.end_headers()

        @override
        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/hook", arrived
        finally:
            server.shutdown()


@dataclass(frozen=True)
class Release:
    """The API of a release at work, with a receiver of its events at `hook`; nothing has migrated its database."""

    commit: str
    stack: Stack
    dsn: str
    hook: str
    arrived: list[dict[str, Any]]

    def migrate(self) -> None:
        """Migrate the database to the present schema."""
        migrated = run("migrate", database_url=self.dsn)
        assert migrated.returncode == 0, migrated.stderr


@pytest.fixture(params=RELEASES[-2:], ids=lambda commit: commit[:7])
def release(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Release]:
    tree = code_of(request.param, tmp_path)
    hosts = {"LEVITATE_CLIO_WEBHOOK_HOSTS": "127.0.0.1"}
    with (
        receiver() as (hook, arrived),
        embedded_postgres("release", fastest_folder()) as (folder, dsn),
        running_stack(
            folder, dsn, contacts=20, environment=hosts, serve=["--no-workers"], tree=tree,
            rate_limit=100_000,
        ) as stack,
    ):  # fmt: skip
        yield Release(request.param, stack, dsn, hook, arrived)


def test_a_release_works_on_the_schema_of_this_one(release: Release):
    stack = release.stack
    worker = stack.worker("worker")
    worker.spawn()
    stack.connect("firm")
    assert [one["status"] for one in stack.wait_for_runs("firm")] == ["succeeded"]
    release.migrate()
    if release.commit not in DO_NOT_START_ON_A_NEWER_SCHEMA:
        restart(stack, worker)
    use(release)
    assert worker.stop() == 0


def test_the_workers_of_this_release_do_what_another_release_queues(release: Release):
    stack, dsn = release.stack, release.dsn
    release.migrate()
    stack.connect("firm")
    assert asyncio.run(count_earlier_jobs(dsn)) == 1
    mixed = stack.worker(
        "worker"
    )  # the previous release has the owner's rights, this one its roles
    worker = replace(mixed, tree=None, environment={**mixed.environment, **roles_of(dsn)})
    worker.spawn()
    assert [one["status"] for one in stack.wait_for_runs("firm")] == ["succeeded"]
    use(release)
    wait_until(lambda: not asyncio.run(count_earlier_jobs(dsn)), "a job is left")
    assert worker.stop() == 0


async def count_earlier_jobs(dsn: str) -> int:
    """Return the number of jobs under names that only an earlier release queues."""
    connection = await asyncpg.connect(dsn)
    query = "select count(*) from pgqueuer where entrypoint = any($1)"
    count: int = await connection.fetchval(query, EARLIER_JOBS)
    await connection.close()
    return count


def restart(stack: Stack, worker: Program) -> None:
    worker.stop()
    worker.spawn()
    stack.service.stop()
    stack.service.start(path="/healthz")


def use(release: Release) -> None:
    """Do one sync, one note, one change of settings and one delivery."""
    stack, api, firm = release.stack, release.stack.api, "/v1/accounts/firm"
    assert api.get("/readyz").json()["schema"] == "newer"  # so the code is the release's
    api.post(
        "/v1/webhook-endpoints", json={"url": release.hook, "events": ["*"]}
    ).raise_for_status()
    key = {"Idempotency-Key": "sync"}
    asked = api.post(f"{firm}/runs", json={"kind": "full"}, headers=key).json()
    assert stack.wait_for_run("firm", asked["id"])["status"] == "succeeded"
    settings = api.get(f"{firm}/settings")
    kind = {
        "If-Match": settings.headers["etag"],
        "Content-Type": "application/merge-patch+json",
    }
    patch = json.dumps({"tags": {"location": {"city": True}}})
    changed = api.patch(f"{firm}/settings", content=patch, headers=kind).json()
    assert stack.wait_for_run("firm", changed["run_id"])["status"] == "succeeded"
    note(stack, firm)
    wait_until(lambda: bool(release.arrived), "no event was delivered", patience=PATIENCE)


def note(stack: Stack, firm: str) -> None:
    contact = next(stack.all(f"{firm}/contacts"))
    body = {
        "kind": "note", "user_id": "u_1", "contact_id": contact["id"], "subject": "Call",
        "occurred_at": "2026-03-02T12:00:00Z", "body": "Text",
    }  # fmt: skip
    posted = stack.api.post(f"{firm}/activities", json=body, headers={"Idempotency-Key": "note"})
    url = f"{firm}/activities/{posted.json()['id']}"
    wait_until(
        lambda: stack.get(url)["status"] == "written", "the note was not written", patience=PATIENCE
    )
