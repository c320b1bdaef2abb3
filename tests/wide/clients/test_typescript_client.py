"""The TypeScript client: its types are those of the document, it compiles, and it works with a real service."""

import os
import re
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from tests.support.client_service import ClientService
from tests.support.ports import free_port
from tests.support.waiting import wait_until

ROOT = Path(__file__).parents[3]
CLIENT = ROOT / "clients" / "typescript"
NOT_TRACKED = shutil.ignore_patterns("node_modules", "dist", "build")
PROGRAMS = dict(re.findall(r"```ts (\w+)\n(.*?)```", (CLIENT / "README.md").read_text(), re.DOTALL))
STRICT = ["--strict", "--noUncheckedIndexedAccess", "--module", "nodenext", "--target", "es2022"]


def variables(given: dict[str, str]) -> dict[str, str]:
    # npm needs the variables of the machine, the programs must reach this machine without a proxy.
    return {**os.environ, "NO_PROXY": "127.0.0.1", **given}  # noqa: TID251


def run(folder: Path, *command: str, **given: str) -> str:
    """Run a program in a folder; return its output, or fail with it."""
    done = subprocess.run(
        command,
        cwd=folder,
        env=variables(given),
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, (command, done.stdout[-8000:], done.stderr[-4000:])
    return done.stdout


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the client with what its lock file names, built; the document is where it is in the repository."""
    root = tmp_path_factory.mktemp("typescript")
    folder = root / "clients" / "typescript"
    shutil.copytree(CLIENT, folder, ignore=NOT_TRACKED)
    (root / "docs").mkdir()
    shutil.copy(ROOT / "docs" / "openapi.json", root / "docs")
    run(folder, "npm", "ci", "--silent", "--no-audit", "--no-fund")
    run(folder, "npm", "run", "build")
    return folder


@pytest.fixture(scope="module")
def project(client: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project of a user: the packed client is installed, and the programs of the README are compiled strictly."""
    folder = tmp_path_factory.mktemp("project")
    run(client, "npm", "pack", "--silent", f"--pack-destination={folder}")
    (packed,) = folder.glob("*.tgz")
    (folder / "package.json").write_text('{"type": "module", "private": true}')
    run(folder, "npm", "install", "--silent", "--no-audit", "--no-fund", f"./{packed.name}")
    shutil.copytree(
        client / "node_modules" / "@types", folder / "node_modules" / "@types", symlinks=True
    )
    shutil.copytree(client / "node_modules" / "undici-types", folder / "node_modules/undici-types")
    for name, program in PROGRAMS.items():
        (folder / f"{name}.ts").write_text(program)
    names = [f"{name}.ts" for name in PROGRAMS]
    run(folder, str(client / "node_modules" / ".bin" / "tsc"), *STRICT, *names)
    return folder


def test_the_types_are_those_of_the_document(client: Path):
    before = (client / "src" / "schema.ts").read_text()
    run(client, "npm", "run", "generate")
    after = (client / "src" / "schema.ts").read_text()
    assert after == before, "run `npm run generate` in clients/typescript"


def test_the_lock_file_names_no_package_index():
    assert '"resolved"' not in (CLIENT / "package-lock.json").read_text()


def test_it_compiles_strictly_and_its_own_tests_pass(client: Path):
    run(client, "npm", "run", "check")
    assert "# fail 0" in run(client, "npm", "test")


def test_it_works_with_a_real_service(client: Path, service: ClientService):
    output = run(client, "npm", "run", "test:e2e", **service.variables())
    assert re.search(r"^# pass [1-9]", output, re.MULTILINE), output
    assert "# fail 0" in output


SHOWN = {
    "quickstart": r"\d+ contacts, health: \w+\ncon_\w+ ",
    "calls": r"settings version [2-9]",
    "paging": r"con_\w+\n[^$]*\d+ issues",
    "errors": "There is no such account",
    "idempotency": r"act_\w+ \w+",
}


def test_every_program_of_the_readme_is_run():
    assert PROGRAMS.keys() == {*SHOWN, "webhooks", "follow"}
    code = [line for line in PROGRAMS["quickstart"].splitlines() if line]
    assert len(code) <= 10


@pytest.mark.parametrize("name", SHOWN)
def test_a_program_of_the_readme_prints_what_it_is_for(
    project: Path, service: ClientService, name: str
):
    assert re.search(SHOWN[name], run(project, "node", f"{name}.js", **service.variables()))


@contextmanager
def running(project: Path, name: str, **given: str) -> Iterator["subprocess.Popen[bytes]"]:
    """Run a program of the README, whose output goes to a file, until the block ends."""
    with (project / f"{name}.txt").open("wb") as output:
        program = subprocess.Popen(
            ["node", f"{name}.js"],
            cwd=project,
            env=variables(given),
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        try:
            yield program
        finally:
            program.kill()
            program.wait()


def is_up(url: str) -> bool:
    try:
        return httpx.get(url, trust_env=False).status_code == 400
    except httpx.TransportError:
        return False


def test_the_receiver_of_the_readme_accepts_an_event_of_the_service(
    project: Path, service: ClientService
):
    port = free_port()
    url = f"http://127.0.0.1:{port}/hook"
    api = service.stack.api
    endpoint = api.post("/v1/webhook-endpoints", json={"url": url, "events": ["client.new"]}).json()
    here = f"/v1/webhook-endpoints/{endpoint['id']}"
    try:
        with running(project, "webhooks", PORT=str(port), WEBHOOK_SECRETS=endpoint["secret"]):
            wait_until(lambda: is_up(url), "the receiver is up, and refuses what is not signed")
            assert api.post(f"{here}/test").json()["status"] == 204
    finally:
        api.delete(here).raise_for_status()
    assert "not needed here: ping" in (project / "webhooks.txt").read_text()


def test_the_follower_of_the_readme_begins_at_its_cursor_and_stops_when_it_is_told(
    project: Path, service: ClientService
):
    changes = service.stack.api.get
    path = f"/v1/accounts/{service.account_id}/changes"
    first = changes(path, params={"limit": 5}).json()
    (sixth,) = changes(path, params={"limit": 1, "cursor": first["next_cursor"]}).json()["data"]
    given = {**service.variables(), "CURSOR": first["next_cursor"]}
    shown = project / "follow.txt"
    with running(project, "follow", **given) as program:
        wait_until(lambda: "\nstore " in shown.read_text(), "the first page is read")
        program.send_signal(signal.SIGTERM)
        assert program.wait(timeout=60) == 0
    assert shown.read_text().startswith(f"{sixth['kind']} {sixth['contact_id']}\n")
