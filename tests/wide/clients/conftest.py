"""The service for the tests of the client libraries."""

import asyncio
from collections.abc import Iterator

import pytest

from tests.support.client_service import ClientService, client_service
from tests.support.postgres import MIGRATED, Server


@pytest.fixture(scope="session")
def service(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ClientService]:
    """A service process with a pulled firm. All tests of a process share it, so none may count on what is in it."""
    name = "clients"
    dsn = asyncio.run(server.new_template(name, base=MIGRATED))
    try:
        with client_service(tmp_path_factory.mktemp(name), dsn) as running:
            yield running
    finally:
        drop = f"drop database {server.template(name)} with (force)"
        asyncio.run(server.execute(drop))
