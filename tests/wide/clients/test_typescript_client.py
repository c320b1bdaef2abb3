"""The TypeScript client: its types are those of the document, it compiles, and it works with a real service.

Few tests do much each: what they share takes long, and every process that has one of them makes it anew.
"""

import json
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
SHOWN = {  # by the programs that end by themselves
    "quickstart": r"\d+ contacts, health: \w+\ncon_\w+ ",
    "calls": r"settings version [2-9]",
    "paging": r"con_\w+\n(.*\n)*\d+ issues",
    "errors": "There is no such account",
    "idempotency": r"act_\w+ \w+",
}


def variables(given: dict[str, str]) -> dict[str, str]:
    # npm needs the variables of the machine; the programs must reach this machine without a proxy
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


def passed(output: str) -> int:
    """Return how many tests of Node have passed."""
    (count,) = re.findall(r"^# pass (\d+)$", output, re.MULTILINE)
    return int(count)


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the client with what its lock file names, compiled with its tests and the programs of its README.

    The document is where it is in the repository.
    """
    root = tmp_path_factory.mktemp("typescript")
    folder = root / "clients" / "typescript"
    shutil.copytree(CLIENT, folder, ignore=NOT_TRACKED)
    (root / "docs").mkdir()
    shutil.copy(ROOT / "docs" / "openapi.json", root / "docs")
    (folder / "test" / "readme").mkdir()
    for name, program in PROGRAMS.items():
        (folder / "test" / "readme" / f"{name}.ts").write_text(program)
    run(folder, "npm", "ci", "--silent", "--no-audit", "--no-fund")
    run(folder, "npm", "run", "build:tests")
    return folder


def install(client: Path, project: Path) -> None:
    """Make a project of a user: it has the packed client and the programs of the README."""
    project.mkdir()
    run(client, "npm", "pack", "--silent", f"--pack-destination={project}")
    (packed,) = project.glob("*.tgz")
    (project / "package.json").write_text('{"type": "module", "private": true}')
    run(project, "npm", "install", "--silent", "--no-audit", "--no-fund", f"./{packed.name}")
    for program in (client / "build" / "readme").glob("*.js"):
        shutil.copy(program, project)


def test_every_program_of_the_readme_is_run_and_the_first_has_ten_lines():
    assert PROGRAMS.keys() == {*SHOWN, "webhooks", "follow"}
    assert len([line for line in PROGRAMS["quickstart"].splitlines() if line]) <= 10


def test_the_lock_file_names_no_package_index():
    assert '"resolved"' not in (CLIENT / "package-lock.json").read_text()


def test_it_is_generated_from_the_document_and_passes_its_own_tests(client: Path):
    options = json.loads((client / "tsconfig.json").read_text())["compilerOptions"]
    assert options["strict"]  # the fixture has compiled it
    before = (client / "src" / "schema.ts").read_text()
    run(client, "npm", "run", "generate")
    after = (client / "src" / "schema.ts").read_text()
    assert after == before, "run `npm run generate` in clients/typescript"
    assert passed(run(client, "npm", "run", "run-tests")) >= 70


def test_it_and_the_programs_of_its_readme_work_with_a_real_service(
    client: Path, service: ClientService, tmp_path: Path
):
    assert passed(run(client, "npm", "run", "run-tests:e2e", **service.variables())) >= 7
    project = tmp_path / "project"
    install(client, project)
    for name, shown in SHOWN.items():
        output = run(project, "node", f"{name}.js", **service.variables())
        assert re.search(shown, output), (name, output)
    check_receiver(project, service)
    check_follower(project, service)


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


def refuses(url: str) -> bool:
    """Return whether a receiver is up and refuses what is not signed."""
    try:
        return httpx.get(url, trust_env=False).status_code == 400
    except httpx.TransportError:
        return False


def check_receiver(project: Path, service: ClientService) -> None:
    """Check that the receiver of the README accepts an event of the service, and refuses what is not signed."""
    port, api = free_port(), service.stack.api
    url = f"http://127.0.0.1:{port}/hook"
    endpoint = api.post("/v1/webhook-endpoints", json={"url": url, "events": ["client.new"]}).json()
    here = f"/v1/webhook-endpoints/{endpoint['id']}"
    try:
        with running(project, "webhooks", PORT=str(port), WEBHOOK_SECRETS=endpoint["secret"]):
            wait_until(lambda: refuses(url), "the receiver is not up")
            tested = api.post(f"{here}/test").json()
    finally:
        api.delete(here).raise_for_status()
    assert tested["response_status"] == 204, tested
    assert "not needed here: ping" in (project / "webhooks.txt").read_text()


def check_follower(project: Path, service: ClientService) -> None:
    """Check that the follower of the README begins at its cursor, and stops when it is told."""
    changes, path = service.stack.api.get, f"/v1/accounts/{service.account_id}/changes"
    first = changes(path, params={"limit": 5}).json()
    (sixth,) = changes(path, params={"limit": 1, "cursor": first["next_cursor"]}).json()["data"]
    shown = project / "follow.txt"
    given = {**service.variables(), "CURSOR": first["next_cursor"]}
    with running(project, "follow", **given) as program:
        wait_until(lambda: "\nstore " in shown.read_text(), "no page was read")
        program.send_signal(signal.SIGTERM)
        assert program.wait(timeout=60) == 0
    assert shown.read_text().startswith(f"{sixth['kind']} {sixth['contact_id']}\n")
