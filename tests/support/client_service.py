"""A service process with a pulled firm, for the tests of the client libraries."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.chaos.processes import TOKEN, Stack, running_stack

ACCOUNT = "firm"
CONTACTS = 120  # contacts of the firm in Clio; those in scope fill several pages of 20


@dataclass(frozen=True)
class ClientService:
    """A service and its simulated Clio, and what a client needs to use them.

    The user `u_1` of the account is connected, and the first run has ended. Webhook endpoints may be at 127.0.0.1.
    """

    stack: Stack
    token: str = TOKEN
    account_id: str = ACCOUNT

    @property
    def url(self) -> str:
        """Return the base URL of the service."""
        return self.stack.service.url

    @property
    def clio_url(self) -> str:
        """Return the base URL of the simulated Clio."""
        return self.stack.clio.url

    def variables(self) -> dict[str, str]:
        """Return the environment variables with which a program of a test finds the service."""
        return {
            "LEVITATE_URL": self.url,
            "LEVITATE_TOKEN": self.token,
            "LEVITATE_ACCOUNT": self.account_id,
            "CLIO_URL": self.clio_url,
        }


@contextmanager
def client_service(folder: Path, dsn: str) -> Iterator[ClientService]:
    """Run a service on a migrated database until the block ends; its logs are in the folder."""
    hosts = {"LEVITATE_CLIO_WEBHOOK_HOSTS": "127.0.0.1"}
    with running_stack(
        folder, dsn, contacts=CONTACTS, environment=hosts, rate_limit=100_000
    ) as stack:
        stack.connect(ACCOUNT)
        assert [run["status"] for run in stack.wait_for_runs(ACCOUNT)] == ["succeeded"]
        yield ClientService(stack)
