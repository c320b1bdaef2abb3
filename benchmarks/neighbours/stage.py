"""The stage: a database, two processes of the service, two simulated Clios, and receivers of events.

The sampled firms read one simulator and the neighbours another, so that no neighbour delays a sample inside a
simulator. For the service they are two regions.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import httpx
from sqlalchemy import text

from app.crypto import new_service_token
from app.db.accounts import service_tokens
from app.db.accounts.service_tokens import ServiceToken
from app.db.events import events
from app.db.events.events import Event, EventKind
from app.db.session import Database, open_database
from app.errors import DatabaseUnavailable
from app.main import now
from app.simulator.http.server import credentials
from tests.chaos.loops import LoopThread, loop_thread
from tests.chaos.processes import (
    REGIONS,
    Program,
    Stack,
    embedded_postgres,
    retry_until_success,
    running_stack,
)
from tests.support.ports import free_port
from tests.support.postgres import address_of
from tests.support.sessions import as_owner
from tests.support.waiting import wait_for, wait_until
from tests.support.webhook_receiver import Receiver, receiving

SAMPLED_CONTACTS = 500
LATENCY = 0.1  # seconds of each request to Clio
NEIGHBOURS_RATE_LIMIT = 50  # requests in a minute for each token, as in Clio
# The sampled firms are asked for more runs than a firm has, so their own limit must not decide.
SAMPLED_RATE_LIMIT = 1000
ANSWER_SECONDS = 0.1  # of the receiver of events
PATIENCE = 900.0  # seconds for a preparation
ALWAYS = 10**9  # times


@dataclass(frozen=True)
class Stage:
    """The running processes and a connection to their database. `clio` is the simulator of the neighbours."""

    stack: Stack
    clio: Program
    folder: Path
    database: Database
    loop: LoopThread
    opened: ExitStack
    receiver: Receiver

    def connect_neighbours(self, count: int) -> list[str]:
        """Connect firms of the neighbour, which begins their first runs; return their accounts."""
        accounts = [f"neighbour-{nth}" for nth in range(count)]
        for account_id in accounts:
            self.stack.connect(account_id, region="eu")
        return accounts

    def slow_down_clio(self, seconds: float, path: str) -> None:
        """Let the neighbours' Clio take longer by this time for requests whose path matches the regular expression."""
        fault = {"effect": "slow", "value": str(seconds), "path": path, "times": ALWAYS}
        self._control_clio("POST", fault)

    def mend_clio(self) -> None:
        """End the slowness."""
        self._control_clio("DELETE", None)

    def _control_clio(self, method: str, body: dict[str, Any] | None) -> None:
        address = f"{self.clio.url}/_simulator/faults"
        httpx.request(method, address, json=body, trust_env=False, timeout=60).raise_for_status()

    def wait_for_runs(self, accounts: Sequence[str]) -> None:
        """Wait until no run of these accounts is left."""
        for account_id in accounts:
            self.stack.wait_for_runs(account_id, patience=PATIENCE)

    def wait_for_deliveries(self) -> None:
        """Wait until every event is delivered."""
        waiting = "select count(*) from deliveries where status = 'pending'"
        wait_until(lambda: not self.count(waiting), "an event was not delivered", patience=PATIENCE)

    def contacts_of(self, account_id: str) -> list[str]:
        """Return the Clio ids of the contacts in scope."""
        found = self.stack.all(f"/v1/accounts/{account_id}/contacts")
        return [each["clio_id"] for each in found if each["state"] == "in_scope"]

    def post_note(self, account_id: str, clio_contact_id: str, key: str) -> dict[str, Any]:
        """Post a note with the key as its subject; return the accepted activity."""
        body = {
            "kind": "note",
            "user_id": "u_1",
            "clio_contact_id": clio_contact_id,
            "occurred_at": "2026-03-02T12:00:00Z",
            "subject": key,
            "body": "Called about the closing date; all is prepared.",
        }
        return self._post(account_id, "activities", body, key)

    def request_run(self, account_id: str, key: str) -> dict[str, Any]:
        """Request an incremental run; return it."""
        return self._post(account_id, "runs", {"kind": "incremental"}, key)

    def _post(self, account_id: str, name: str, body: Any, key: str) -> dict[str, Any]:
        path, headers = f"/v1/accounts/{account_id}/{name}", {"Idempotency-Key": key}
        answer = retry_until_success(
            lambda: self.stack.api.post(path, json=body, headers=headers), patience=PATIENCE
        )
        document: dict[str, Any] = answer.json()
        return document

    def start_receiver(self, delay: float) -> Receiver:
        """Start a receiver of events that answers after `delay` seconds."""
        return self.opened.enter_context(self.loop.entered(receiving(Receiver(delay=delay))))

    def create_endpoints(self, urls: Sequence[str]) -> None:
        """Create webhook endpoints for the events of all accounts, at most 50, which a token of their own has."""
        token, token_id, secret_hash = new_service_token()
        self._with_database(lambda: self._add_token(token_id, secret_hash))
        headers = {"Authorization": f"Bearer {token}"}
        path = "/v1/webhook-endpoints"
        wait_until(
            lambda: self.stack.api.get(path, headers=headers).is_success,
            "the service does not know the new token",
        )
        for url in urls:
            answer = self.stack.api.post(path, json={"url": url}, headers=headers)
            answer.raise_for_status()

    async def _add_token(self, token_id: str, secret_hash: str) -> None:
        made = ServiceToken(token_id, token_id, secret_hash, None, now(), None)
        async with as_owner(self.database) as session:
            await service_tokens.add_token(session, made)

    def store_events(self, account_id: str, event_ids: Sequence[str]) -> datetime:
        """Store at most a few hundred events, each about a subject of its own; return when they were stored."""
        batch = [Event(each, EventKind.CLIENT_NEW, f"con_{each}") for each in event_ids]
        stored: datetime = self._with_database(lambda: self._store(account_id, batch))
        return stored

    async def _store(self, account_id: str, batch: Sequence[Event]) -> datetime:
        at = now()
        async with as_owner(self.database) as session:
            await events.record_events(session, account_id, batch, now=at)
        return at

    def execute(self, statement: str) -> None:
        """Execute a statement."""
        self._with_database(lambda: self._execute(statement))

    def count(self, statement: str) -> int:
        """Return the number that a query returns."""
        rows = self._with_database(lambda: self._execute(statement))
        return int(rows[0][0])

    def wait_for_database(self) -> datetime:
        """Wait until the database answers; return when it did."""
        self.count("select 1")
        return now()

    async def _execute(self, statement: str) -> Sequence[Any]:
        async with as_owner(self.database) as session:
            result = await session.execute(text(statement))
            return result.all() if result.returns_rows else []

    def _with_database(self, work: Callable[[], Any]) -> Any:
        """Run the work in the loop; repeat it while the database is away."""

        def tried() -> tuple[Any] | None:
            with suppress(DatabaseUnavailable):
                return (self.loop.run(work()),)
            return None

        return wait_for(tried, "the database does not return", patience=PATIENCE)[0]


@contextmanager
def running_stage(*, neighbour_contacts: int) -> Iterator[Stage]:
    """Start everything, with a firm of `neighbour_contacts` for the neighbours; stop it when the block ends."""
    with ExitStack() as opened:
        folder, dsn = opened.enter_context(embedded_postgres("neighbours"))
        loop = opened.enter_context(loop_thread())
        receiver = opened.enter_context(loop.entered(receiving(Receiver(delay=ANSWER_SECONDS))))
        port = free_port(REGIONS)
        stack = opened.enter_context(
            running_stack(
                folder,
                dsn,
                contacts=SAMPLED_CONTACTS,
                environment=_environment(port),
                latency=LATENCY,
                rate_limit=SAMPLED_RATE_LIMIT,
            )
        )
        clio = _neighbours_clio(stack, port, contacts=neighbour_contacts)
        opened.callback(clio.stop)
        clio.start(path="/oauth/authorize")
        worker = stack.worker("worker")
        opened.callback(worker.stop)
        worker.start(path="/healthz")
        database = open_database(address_of(dsn))
        opened.callback(lambda: loop.run(database.dispose()))
        stage = Stage(stack, clio, folder, database, loop, opened, receiver)
        stage.create_endpoints([receiver.url])
        yield stage


def _neighbours_clio(stack: Stack, port: int, *, contacts: int) -> Program:
    flags = {
        "port": port,
        "contacts": contacts,
        "latency": LATENCY,
        "rate-limit": NEIGHBOURS_RATE_LIMIT,
        "redirect-uri": f"{stack.service.url}/oauth/clio/callback",
    }
    command = ["simulator", *(f"--{name}={value}" for name, value in flags.items())]
    log = stack.clio.log.with_name("neighbours-simulator.log")
    return Program(command, {}, f"http://127.0.0.1:{port}", log)


def _environment(neighbours_port: int) -> dict[str, str]:
    """Return the variables of the service. Everything that is not about this stage has its default."""
    client_id, secret = credentials(
        "us"
    )  # the neighbours' firm is in the first region of its simulator
    half_a_day_ago = now().astimezone(ZoneInfo("America/New_York")) - timedelta(hours=12)
    return {
        "LEVITATE_CLIO_REGIONS__EU__CLIENT_ID": client_id,
        "LEVITATE_CLIO_REGIONS__EU__CLIENT_SECRET": secret,
        "LEVITATE_CLIO_REGIONS__EU__ORIGIN": f"http://127.0.0.1:{neighbours_port}",
        "LEVITATE_CLIO_SLOTS": f"{half_a_day_ago:%H:%M}",  # no slot comes during a measurement
        "LEVITATE_CLIO_HEARTBEAT_SECONDS": "10",
        "LEVITATE_CLIO_WEBHOOK_HOSTS": "127.0.0.1",
    }


def fetch(clio: Program, name: str) -> list[dict[str, Any]]:
    """Return a list from a control endpoint of a simulator."""
    found: list[dict[str, Any]] = httpx.get(
        f"{clio.url}/_simulator/{name}", trust_env=False, timeout=60
    ).json()
    return found
