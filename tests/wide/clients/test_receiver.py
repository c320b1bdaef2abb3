"""`examples/receiver` keeps its promises as a real process beside a real service, while both are killed.

NC-1, NC-4, NC-8, S13. It starts each automation once, and in the end has what the service has.
"""

import json
import random
import re
import secrets
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import httpx
import pytest
from levitate_clio import Clio, webhooks
from levitate_clio.models import (
    Contact,
    NewClient,
    RunIn,
    WebhookEndpointIn,
    WebhookEndpointWithSecret,
)

from app.main import now
from tests.chaos.processes import Program
from tests.support.client_service import ClientService
from tests.support.ports import free_port
from tests.support.waiting import wait_until

ROOT = Path(__file__).parents[3]
Kind = Literal["full", "incremental"]
SEED = 16
PASSWORD = secrets.token_urlsafe()
LONGEST_PAUSE = 0.8  # seconds between two kills


@dataclass
class Running:
    """A receiver as a process, the service that it follows, and what both of them have."""

    program: Program
    service: ClientService
    clio: Clio
    endpoint: WebhookEndpointWithSecret
    database: Path
    rng: random.Random

    def wait_until_it_answers(self) -> None:
        def answers() -> bool:
            self.program.check_running()
            with suppress(httpx.TransportError):
                return httpx.get(f"{self.program.url}/held", trust_env=False).status_code == 401
            return False

        wait_until(answers, "the receiver does not start")

    def kept(self, query: str, path: Path | None = None) -> list[tuple[Any, ...]]:
        with closing(sqlite3.connect(path or self.database, timeout=30)) as db:
            return db.execute(query).fetchall()

    def mails(self) -> dict[str, str]:
        """Return what the mail system has: keys, each with its contact."""
        path = self.database.with_name(f"{self.database.name}.mail")
        return dict(self.kept("select key, contact_id from sent", path))

    def act(self, action: str, **body: str) -> dict[str, str]:
        """Make something happen in Clio; return the ids of the records."""
        url = f"{self.service.clio_url}/sandbox/actions/{action}"
        done = httpx.post(url, json=body, trust_env=False, timeout=30).raise_for_status()
        ids: dict[str, str] = done.json()["ids"]
        return ids

    def change(self, kind: str, **record: Any) -> None:
        url = f"{self.service.clio_url}/_simulator/mutations"
        body = {"op": "put", "kind": kind, "record": record}
        httpx.post(url, json=body, trust_env=False, timeout=30).raise_for_status()

    def record(self, clio_id: str) -> dict[str, Any]:
        """Return a contact as Clio has it."""
        url = f"{self.service.clio_url}/_simulator/records/contact"
        records = httpx.get(url, trust_env=False, timeout=30).raise_for_status().json()
        (found,) = [one for one in records if one["id"] == int(clio_id)]
        return dict(found)

    def page(self) -> str:
        return self._ask("GET", "/held").raise_for_status().text

    def decisions(self, method: str, **how: Any) -> httpx.Response:
        return self._ask(method, "/held.json", **how).raise_for_status()

    def send_form(self, path: str, chosen: dict[str, str]) -> httpx.Response:
        return self._ask("POST", path, data=chosen)

    def post_all_events_again(self) -> None:
        """Send every event of the list by webhook once more; the service itself sends a ping."""
        assert self.clio.events.send_test_event(self.endpoint.id).succeeded
        events = self.clio.pages(self.clio.events.list_events, account_id=self.service.account_id)
        for event in events:
            body = json.dumps(event.to_dict()).encode()
            headers = webhooks.sign(body, self.endpoint.secret, event.id, now())
            url = f"{self.program.url}/webhook"
            answer = httpx.post(url, content=body, headers=headers, trust_env=False, timeout=30)
            assert answer.status_code == 204, answer.text

    def _ask(self, method: str, path: str, **how: Any) -> httpx.Response:
        url, user = f"{self.program.url}{path}", ("u_1", PASSWORD)
        return httpx.request(method, url, auth=user, trust_env=False, timeout=30, **how)

    def run(self, kind: Kind = "incremental") -> str:
        run = self.clio.runs.create_run(self.service.account_id, body=RunIn(kind=kind))
        return run.id

    def run_to_its_end(self, kind: Kind = "incremental") -> None:
        run = self.service.stack.wait_for_run(self.service.account_id, self.run(kind))
        assert run["status"] == "succeeded", run

    def contact_id(self, clio_id: str) -> str:
        page = self.clio.contacts.list_contacts(self.service.account_id, clio_id=clio_id)
        return page.data[0].id

    def kill_both(self) -> None:
        """Kill each side at random moments. The receiver also while it starts, and while the service is away."""
        service = self.service.stack.service
        for _ in range(2):
            self._pause()
            self.program.kill()
            self.program.spawn()
        self._pause()
        service.kill()
        self._pause()
        self.program.kill()
        self.program.spawn()
        service.start(path="/healthz")
        self.wait_until_it_answers()

    def _pause(self) -> None:
        time.sleep(self.rng.uniform(0.0, LONGEST_PAUSE))

    # --- what both sides have ---------------------------------------------------------------------

    def contacts(self) -> dict[str, Any]:
        rows = self.kept("select id, contact from contacts")
        return {contact_id: json.loads(text) for contact_id, text in rows}

    def contacts_of_the_service(self) -> dict[str, Any]:
        operation = self.clio.contacts.list_contacts
        listed: Iterator[Contact] = self.clio.pages(operation, self.service.account_id, limit=200)
        return {contact.id: contact.to_dict() for contact in listed}

    def announced(self) -> dict[str, list[str]]:
        """Return who was announced, with the ids of the events."""
        rows: Iterator[NewClient] = self.clio.pages(
            self.clio.new_clients.list_new_clients, self.service.account_id, status="emitted"
        )
        return {row.contact_id: row.event_ids for row in rows}

    def wait_until_it_has_everything(self) -> None:
        def same_contacts() -> bool:
            self.program.check_running()
            return self.contacts() == self.contacts_of_the_service()

        def same_automations() -> bool:
            started = dict(self.kept("select contact_id, starts from automations"))
            return started == {one: len(events) for one, events in self.announced().items()}

        wait_until(same_contacts, "the contacts are not those of the service")
        wait_until(same_automations, "the automations are not the new clients")

    def keys_in_the_outbox(self) -> list[str]:
        return [row[0] for row in self.kept("select key from mails")]


@contextmanager
def running_receiver(service: ClientService, folder: Path) -> Iterator[Running]:
    """Run a receiver, with an endpoint for it, until the block ends."""
    port, database = free_port(), folder / "receiver.db"
    url = f"http://127.0.0.1:{port}"
    with Clio(service.url, service.token, role="success_manager") as clio:
        body = WebhookEndpointIn(url=f"{url}/webhook", events=["*"])
        endpoint = clio.events.create_webhook_endpoint(body=body)
        environment = {
            **service.variables(),
            "PYTHONPATH": f"{ROOT / 'examples'}:{ROOT / 'clients' / 'python'}",
            "NO_PROXY": "127.0.0.1",
            "RECEIVER_DATABASE": str(database),
            "RECEIVER_WEBHOOK_SECRETS": endpoint.secret,
            "RECEIVER_PASSWORD": PASSWORD,
            "RECEIVER_PORT": str(port),
        }
        program = Program([], environment, url, folder / "receiver.log", module="receiver")
        running = Running(program, service, clio, endpoint, database, random.Random(SEED))  # noqa: S311
        try:
            program.spawn()
            running.wait_until_it_answers()
            yield running
        finally:
            if program.process is not None:
                program.process.kill()
                program.process.wait()
            clio.events.delete_webhook_endpoint(endpoint.id)


@pytest.fixture(scope="module")
def receiver(service: ClientService, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with running_receiver(service, tmp_path_factory.mktemp("receiver")) as running:
        yield running


def test_nothing_is_lost_or_doubled_when_both_sides_are_killed(receiver: Running):
    """New clients, a merge, a change and an erasure happen meanwhile [NC-1, NC-4, S6]."""
    before = set(receiver.announced())
    first, second, third = (receiver.act("new-client")["contact_id"] for _ in range(3))
    receiver.run()
    receiver.kill_both()

    receiver.run_to_its_end()
    erased = receiver.contact_id(third)
    wait_until(lambda: erased in receiver.mails().values(), "the mail is sent")
    receiver.act("merge", contact_id=first, into_contact_id=second)
    receiver.change("contact", id=int(second), title="Judge")
    fourth = receiver.act("new-client")["contact_id"]
    receiver.clio.contacts.delete_contact(receiver.service.account_id, erased)
    receiver.run("full")
    receiver.kill_both()

    receiver.run_to_its_end("full")
    receiver.service.stack.wait_for_runs(receiver.service.account_id)
    receiver.wait_until_it_has_everything()
    merged, kept, last = (receiver.contact_id(one) for one in (first, second, fourth))
    contacts = receiver.contacts()
    assert (contacts[merged]["state"], contacts[merged]["merged_into"]) == ("deleted", kept)
    assert contacts[kept]["title"] == "Judge"
    assert set(receiver.announced()) - before == {merged, kept, last}
    check_mails(receiver, {kept, last})
    receiver.post_all_events_again()
    receiver.wait_until_it_has_everything()
    check_mails(receiver, {kept, last})
    wait_until(lambda: erased not in receiver.mails().values(), "the mail system has forgotten")
    assert erased not in str(receiver.kept("select contact from contacts"))


def check_mails(receiver: Running, addressed: set[str]) -> None:
    """Check that there is one mail for each announcement, and that these people got theirs."""
    wanted = [f"new-client-{event}" for ids in receiver.announced().values() for event in ids]
    assert sorted(receiver.keys_in_the_outbox()) == sorted(wanted)
    wait_until(lambda: addressed <= set(receiver.mails().values()), "the mails are sent")
    sent = {row[0] for row in receiver.kept("select key from mails where is_sent")}
    assert sent == receiver.mails().keys()
    assert len(sent) > len(addressed)


def test_held_people_are_shown_and_each_decision_counts_once(receiver: Running):
    """NC-6. A form that is sent twice decides once; a name is text, also if it looks like HTML."""
    account = receiver.service.account_id
    first = receiver.act("new-client")["contact_id"]
    receiver.run_to_its_end()
    address = receiver.record(first)["email_addresses"]
    with held_possible_duplicates(receiver):
        released, suppressed = (receiver.act("new-client")["contact_id"] for _ in range(2))
        for number, clio_id in enumerate((released, suppressed)):
            name = f"<b>Twin {number}</b>"
            receiver.change(
                "contact", id=int(clio_id), last_name=name, name=name, email_addresses=address
            )
        receiver.run_to_its_end()
        receiver.wait_until_it_has_everything()
        page = receiver.page()
        assert page.count("&lt;b&gt;Twin") == 2
        assert "<b>" not in page
        (group,) = receiver.decisions("GET").json()
        ids = {one["name"][-5]: one["id"] for one in group["people"]}
        assert len(ids) == group["total"] == 2

        form = re.search(r'name="form_id" value="([^"]+)"', page)
        assert form
        chosen = {"form_id": form[1], "decision": "release", "ids": ids["0"]}
        for _ in range(2):
            assert receiver.send_form("/held/new-clients", chosen).status_code == 303
        body = {"decision": "suppress", "ids": [ids["1"]], "request_id": "once"}
        assert [receiver.decisions("POST", json=body).json() for _ in range(2)] == [{"done": 1}] * 2
        assert "Nobody waits." in receiver.page()
    receiver.wait_until_it_has_everything()
    assert receiver.contact_id(released) in receiver.announced()
    assert receiver.contact_id(suppressed) not in receiver.announced()
    audited = receiver.clio.pages(receiver.clio.operations.list_audit, account, actor="u_1")
    decided = [entry.action for entry in audited if entry.action.startswith("new_client")]
    assert len(decided) == 2


@contextmanager
def held_possible_duplicates(receiver: Running) -> Iterator[None]:
    """Hold possible duplicates until the block ends."""
    for value in (True, False):
        change = {"new_client": {"hold_possible_duplicates": value}}
        receiver.clio.settings.patch_settings(
            receiver.service.account_id, body=change, if_match="*"
        )
        if value:
            yield
