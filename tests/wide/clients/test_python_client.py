"""The Python client: generated from the document, typed, installable, and right against a real service that is killed.

S13, NC-5, WB-3. The programs of its README are checked and run in a new environment that has nothing but the client.
"""

import asyncio
import filecmp
import os
import re
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import pytest
from levitate_clio import (
    AsyncClio,
    Clio,
    FileCursorStore,
    Following,
    NotFound,
    Retries,
    Unauthorized,
    webhooks,
)
from levitate_clio.models import ActivityIn, Change, Event, RunIn, WebhookEndpointIn

from app.main import now
from tests.support.client_service import ClientService
from tests.support.waiting import wait_until
from tests.support.webhook_receiver import Received, Receiver, receiving

ROOT = Path(__file__).parents[3]
CLIENT = ROOT / "clients" / "python"
GENERATED = Path("levitate_clio", "_generated")
BLOCKS = re.findall(r"```python ?(\w*)\n(.*?)```", (CLIENT / "README.md").read_text(), re.DOTALL)
PROGRAMS = {name: text for name, text in BLOCKS if name}
EVERYTHING = 10_000


def run(*command: str | Path, **given: str) -> str:
    """Run a program in the root of the repository; return its output, or fail with it."""
    done = subprocess.run(
        command,
        cwd=ROOT,
        env=variables(given),
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    if done.returncode:
        raise AssertionError(f"{command} failed: {done.stdout[-8000:]} {done.stderr[-4000:]}")
    return done.stdout


def variables(given: dict[str, str]) -> dict[str, str]:
    # pip needs the variables of the machine; the programs must reach this machine without a proxy
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}  # noqa: TID251
    return {**kept, "NO_PROXY": "127.0.0.1", **given}


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Python of a new environment, into which the client was installed as its README says."""
    folder = tmp_path_factory.mktemp("python") / "venv"
    run(sys.executable, "-m", "venv", folder)
    installed = folder / "bin" / "python"
    pip: list[str | Path] = [
        installed,
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
    ]
    run(*pip, "./clients/python")
    return installed


def check_types(python: Path, folder: Path, *what: str) -> str:
    """Check types strictly in the environment of `python`, without the repository's settings; return the output."""
    options = ["--strict", "--config-file=", f"--cache-dir={folder / 'cache'}"]
    return run(sys.executable, "-m", "mypy", *options, f"--python-executable={python}", *what)


@pytest.fixture
def clio(service: ClientService) -> Iterator[Clio]:
    """A client of the service."""
    with Clio(service.url, service.token, role="success_manager") as client:
        yield client


def test_the_generated_code_is_that_of_the_document(tmp_path: Path):
    run("make", "--silent", ".venv-clients/.installed")
    run(ROOT / ".venv-clients" / "bin" / "python", CLIENT / "generate.py", tmp_path / "new")
    new, old = tmp_path / "new", CLIENT / GENERATED
    files = {path.relative_to(new) for path in new.rglob("*.py")}
    assert files == {path.relative_to(old) for path in old.rglob("*.py")}, "run `make clients`"
    _, changed, missing = filecmp.cmpfiles(new, old, [str(path) for path in files], shallow=False)
    assert (changed, missing) == ([], []), "run `make clients`"


def test_the_installed_client_and_the_programs_of_the_readme_are_typed(
    python: Path, tmp_path: Path
):
    for number, (_, text) in enumerate(BLOCKS):
        (tmp_path / f"block_{number}.py").write_text(text)
    assert len(BLOCKS) > 10
    blocks = sorted(str(path) for path in tmp_path.glob("block_*.py"))
    checked = check_types(python, tmp_path, "--package", "levitate_clio")
    assert re.search(r"no issues found in [23]\d\d source files", checked)
    check_types(python, tmp_path, *blocks)


def test_a_wrong_argument_is_found_by_the_type_checker(python: Path, tmp_path: Path):
    wrong = "from levitate_clio import Clio\n\nClio('', '').contacts.list_contacts('x', stat='y')\n"
    (tmp_path / "wrong.py").write_text(wrong)
    with pytest.raises(AssertionError, match="call-arg"):
        check_types(python, tmp_path, str(tmp_path / "wrong.py"))


def test_the_first_program_of_the_readme_shows_the_contacts(
    python: Path, service: ClientService, tmp_path: Path, clio: Clio
):
    code = [line for line in PROGRAMS["run"].splitlines() if line]
    assert len(code) <= 10
    (tmp_path / "first.py").write_text(PROGRAMS["run"])
    shown = run(python, tmp_path / "first.py", **service.variables()).splitlines()
    people = list(clio.pages(clio.contacts.list_contacts, service.account_id, state="in_scope"))
    assert len(shown) == len(people) > 50
    assert any("Active Client" in line for line in shown)


def test_a_list_has_the_same_people_in_pages_of_any_size(clio: Clio, service: ClientService):
    account = service.account_id
    small = [one.id for one in clio.pages(clio.contacts.list_contacts, account, limit=7)]
    large = clio.contacts.list_contacts(account, limit=200, count=True)
    assert small == [one.id for one in large.data]
    assert large.total == len(set(small)) > 50


def test_refusals_are_exceptions_that_tell_the_next_step(clio: Clio, service: ClientService):
    with pytest.raises(NotFound, match="There is no such account") as caught:
        clio.accounts.get_status("nobody")
    assert caught.value.code == "account_not_found"
    assert caught.value.request_id
    with pytest.raises(Unauthorized), Clio(service.url, "another token") as stranger:
        stranger.accounts.get_fleet()


def test_settings_are_changed_with_the_version_that_was_read(clio: Clio, service: ClientService):
    read = clio.with_headers(clio.settings.get_settings, service.account_id)
    birthday = read.data.settings.to_dict()["key_facts"]["birthday"]
    change = {"key_facts": {"birthday": not birthday}}
    saved = clio.settings.patch_settings(service.account_id, body=change, if_match=read.etag)
    assert saved.version == read.data.version + 1
    whole = clio.with_headers(clio.settings.get_settings, service.account_id)
    again = clio.settings.put_settings(
        service.account_id, body=read.data.settings, if_match=whole.etag
    )
    assert again.settings.to_dict() == read.data.settings.to_dict()


def test_an_activity_is_recorded_once_for_each_key(clio: Clio, service: ClientService):
    contact = clio.contacts.list_contacts(service.account_id, state="in_scope", limit=1).data[0]
    body = ActivityIn(kind="note", user_id="u_1", occurred_at=now(), contact_id=contact.id)
    body.body = "Called about the lease"
    create = clio.activities.create_activity
    first = create(service.account_id, body=body, idempotency_key="python-1")
    assert create(service.account_id, body=body, idempotency_key="python-1").id == first.id
    assert create(service.account_id, body=body).id != create(service.account_id, body=body).id
    written = clio.pages(clio.activities.list_activities, service.account_id, contact_id=contact.id)
    assert sum(one.id == first.id for one in written) == 1


def change_everybody(clio: Clio, account: str) -> None:
    """Change the tags of most contacts, twice."""
    for enabled in (True, False):
        change = {"tags": {"location": {"city": enabled}}}
        saved = clio.settings.patch_settings(account, body=change, if_match="*")
        assert saved.run_id
        wait_until(
            lambda: clio.runs.get_run(account, str(saved.run_id)).finished_at is not None,  # noqa: B023
            "the run ends",
        )


class Consumer:
    """Follows the feed from its stored cursor in a thread. It ends after some changes, in the middle of a batch."""

    def __init__(self, service: ClientService, store: Path, count: int = EVERYTHING) -> None:
        self._service, self._store, self._count = service, FileCursorStore(store), count
        self.seen: list[Change] = []
        self.down = threading.Event()
        self.stop = threading.Event()
        self.thread = threading.Thread(target=self._follow, daemon=True)

    def _follow(self) -> None:
        """Follow until the count is reached or until it is stopped."""
        options = Following(
            wait=1,
            limit=20,
            on_outage=lambda *_: self.down.set(),
            retries=Retries(first=0.05, longest=0.2),
        )
        with Clio(self._service.url, self._service.token) as clio:
            changes = clio.follow.changes(
                self._service.account_id, self._store, stop=self.stop, options=options
            )
            for change in changes:
                self.seen.append(change)
                if len(self.seen) == self._count:
                    return


def test_no_change_is_lost_when_both_sides_are_killed(
    clio: Clio, service: ClientService, tmp_path: Path
):
    account, store = service.account_id, tmp_path / "feed.cursor"
    first = Consumer(service, store, count=50)  # it ends within the third batch of 20
    first.thread.start()
    first.thread.join(60)
    second = Consumer(service, store)
    service.stack.service.kill()
    try:
        second.thread.start()
        assert second.down.wait(60)
    finally:
        service.stack.service.start(path="/healthz")
    change_everybody(clio, account)
    whole = [one.seq for one in clio.pages(clio.changes.list_changes, account, limit=1000)]
    wait_until(lambda: bool(second.seen) and second.seen[-1].seq == whole[-1], "all is read")
    second.stop.set()
    second.thread.join(60)
    assert [change.seq for change in first.seen] == whole[:50]
    assert [change.seq for change in second.seen] == whole[40:]  # the third batch came again
    assert not second.thread.is_alive()


@contextmanager
def receiver_program(python: Path, service: ClientService, folder: Path) -> Iterator[Path]:
    """Run the receiver of the README, and kill it when the block ends; yield its database."""
    (folder / "receiver.py").write_text(PROGRAMS["receiver"])
    with (folder / "receiver.log").open("ab") as log:
        program = subprocess.Popen(
            [python, folder / "receiver.py", folder / "receiver.db"],
            env=variables(service.variables()),
            stdout=log,
            stderr=log,
        )
        try:
            yield folder / "receiver.db"
            assert program.poll() is None, (folder / "receiver.log").read_text()
        finally:
            program.kill()
            program.wait()


def rows(path: Path, query: str) -> list[tuple[str, ...]]:
    with suppress(sqlite3.OperationalError), closing(sqlite3.connect(path)) as db:
        return db.execute(query).fetchall()
    return []  # the program has not made its tables yet


def test_the_receiver_of_the_readme_keeps_the_contacts_and_starts_each_automation_once(
    python: Path, clio: Clio, service: ClientService, tmp_path: Path
):
    account = service.account_id
    emitted = clio.pages(clio.new_clients.list_new_clients, account, status="emitted")
    wanted = {(event_id, one.contact_id) for one in emitted for event_id in one.event_ids}
    contacts = "select id, state, json_extract(contact, '$.version') from contacts"

    def up_to_date(database: Path) -> bool:
        kept = {(one, state, int(version)) for one, state, version in rows(database, contacts)}
        now_there = clio.pages(clio.contacts.list_contacts, account, limit=200)
        return kept == {(one.id, one.state, one.version) for one in now_there}

    with receiver_program(python, service, tmp_path) as database:
        wait_until(lambda: len(rows(database, contacts)) > 0, "it has begun")
    change_everybody(clio, account)
    with receiver_program(python, service, tmp_path) as database:
        wait_until(lambda: up_to_date(database), "the contacts are those of the service")
        wait_until(
            lambda: set(rows(database, "select event_id, contact_id from automations")) == wanted,
            "the automations are those of the new clients",
        )
    assert wanted


async def test_a_webhook_of_the_service_is_verified_and_is_the_event_of_the_list(
    service: ClientService,
):
    arrived = asyncio.Event()

    def answer(post: Received) -> int:
        if b'"run.finished"' in post.body:
            arrived.set()
        return 204

    account = service.account_id
    async with (
        receiving(Receiver(answer=answer)) as receiver,
        AsyncClio(service.url, service.token, role="success_manager") as clio,
    ):
        body = WebhookEndpointIn(url=receiver.url, events=["run.finished"])
        endpoint = await clio.events.create_webhook_endpoint(body=body)
        try:
            pinged = await clio.events.send_test_event(endpoint.id)
            run_wanted = await clio.runs.create_run(account, body=RunIn(kind="incremental"))
            async with asyncio.timeout(60):
                await arrived.wait()
            rotated = await clio.events.rotate_webhook_secret(endpoint.id)
            await clio.events.send_test_event(endpoint.id)
        finally:
            await clio.events.delete_webhook_endpoint(endpoint.id)
        listed: dict[str, Event] = {
            event.id: event async for event in clio.pages(clio.events.list_events, limit=200)
        }
    posts = {post.headers["webhook-id"]: post for post in receiver.received}
    events = [webhooks.verify(post.body, post.headers, endpoint.secret) for post in posts.values()]
    assert pinged.succeeded
    assert sorted(event.type_ for event in events) == ["ping", "ping", "run.finished"]
    (finished,) = [event for event in events if event.type_ == "run.finished"]
    assert finished == listed[finished.id]
    assert finished.data["run_id"] == run_wanted.id
    last = receiver.received[-1]  # signed with both secrets after the rotation
    assert webhooks.verify(last.body, last.headers, rotated.secret).type_ == "ping"
