"""TLS to the database: every connection keeps to what the address demands, with a real server's certificate."""

import asyncio
import ssl
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from app.crypto import new_key
from app.db import job_queue, notifications
from app.db.connection import Address
from app.db.session import open_database, ping
from app.errors import DatabaseUnavailable
from tests.support.certificates import Authority, new_authority
from tests.support.commands import refusal, run
from tests.support.tls_server import TlsServer, tls_server
from tests.support.world import PATIENCE

UNAVAILABLE = "The database of LEVITATE_CLIO_DATABASE_URL is not available: "
REFUSED = UNAVAILABLE + (
    "its certificate is refused: it is for another host than the address names, has ended or was revoked, or no"
    " authority in the file sslrootcert has signed it"
)
UNENCRYPTED = UNAVAILABLE + (
    "it refuses the user, the password, or a connection without TLS; correct them, or sslmode, in the address"
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("tls")


@pytest.fixture(scope="module")
def authority(folder: Path) -> Authority:
    return new_authority(folder / "ours")


@pytest.fixture(scope="module")
def stranger(folder: Path) -> Authority:
    return new_authority(folder / "theirs")


@pytest.fixture(scope="module")
def server(authority: Authority) -> Iterator[TlsServer]:
    """A server for `localhost`, and not for 127.0.0.1, with a schema and a user with a certificate."""
    with tls_server(authority.sign("server", "localhost"), authority) as running:
        assert run("migrate", database_url=running.socket_url).returncode == 0
        yield running


def full(authority: Authority) -> tuple[str, str]:
    return "sslmode=verify-full", f"sslrootcert={authority.certificate}"


def tokens(url: str) -> list[str]:
    """Return what the command says that lists the tokens; nothing if it could."""
    ended = run("token", "list", database_url=url)
    assert (ended.returncode == 0) == (ended.stderr == ""), ended.stderr
    return ended.stderr.splitlines()


async def _engine(address: Address) -> None:
    database = open_database(address)
    try:
        await ping(database)
    finally:
        await database.dispose()


async def _queue(address: Address) -> None:
    async with job_queue.worker_pool(address) as pool:
        assert await pool.fetchval("select 1") == 1


async def _listener(address: Address) -> None:
    stopping = asyncio.Event()
    async with asyncio.timeout(PATIENCE):
        await notifications.listen(
            address, lambda *_: None, started=stopping.set, turned=lambda: None, stopping=stopping
        )


Opened = Callable[[Address], Coroutine[Any, Any, None]]


@pytest.mark.parametrize("opened", [_engine, _queue, _listener])
async def test_each_kind_of_connection_is_encrypted_and_refuses_another_authority(
    server: TlsServer, authority: Authority, stranger: Authority, opened: Opened
):
    # the server refuses what is not encrypted
    await opened(Address(server.url(*full(authority))))
    for options in (full(stranger), ("sslmode=disable",)):
        with pytest.raises((DatabaseUnavailable, ssl.SSLError, asyncpg.PostgresError)):
            await opened(Address(server.url(*options)))


def test_verify_full_works_for_migrations_and_all_that_reads_the_schema(
    server: TlsServer, authority: Authority
):
    url = server.url(*full(authority))
    assert run("migrate", database_url=url).returncode == 0
    assert tokens(url) == []


@pytest.mark.parametrize(
    "options", [(), ("sslmode=require",), ("sslmode=prefer",), ("sslmode=allow",)]
)
def test_without_a_file_of_authorities_it_is_encrypted_where_the_server_can(
    server: TlsServer, options: tuple[str, ...]
):
    assert tokens(server.url(*options)) == []


def test_the_address_wins_over_the_variables_of_libpq(
    server: TlsServer, authority: Authority, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("PGSSLMODE", "disable")
    assert tokens(server.url()) == [UNENCRYPTED]
    assert tokens(server.url(*full(authority))) == []


def test_disable_is_refused_by_a_server_that_wants_tls(server: TlsServer):
    assert refusal("migrate", database_url=server.url("sslmode=disable")) == [UNENCRYPTED]


@pytest.mark.parametrize("mode", ["require", "verify-ca", "verify-full"])
def test_a_certificate_of_another_authority_is_refused(
    server: TlsServer, stranger: Authority, mode: str
):
    url = server.url(f"sslmode={mode}", f"sslrootcert={stranger.certificate}")
    assert tokens(url) == [REFUSED]


def test_a_certificate_for_another_host_is_refused_by_verify_full_alone(
    server: TlsServer, authority: Authority
):
    mode, file = full(authority)
    assert tokens(server.url(mode, file, host="127.0.0.1")) == [REFUSED]
    assert tokens(server.url("sslmode=verify-ca", file, host="127.0.0.1")) == []


def test_a_revoked_certificate_is_refused(server: TlsServer, authority: Authority):
    own = authority.sign("other", "localhost")
    url = server.url(*full(authority), f"sslcrl={authority.revoke(own)}")
    assert tokens(url) == []
    with tls_server(own, authority) as revoked:
        url = revoked.url(*full(authority), f"sslcrl={authority.revoke(own)}")
        assert tokens(url) == [REFUSED]


def test_a_client_certificate_is_sent(server: TlsServer, authority: Authority):
    own = authority.sign("certified")
    assert run("migrate", database_url=server.socket_url).returncode == 0
    bare = server.url(*full(authority), user="certified")
    assert tokens(bare) != []
    with_own = f"{bare}&sslcert={own.certificate}&sslkey={own.key}"
    made = Address(server.socket_url)

    async def make_user() -> None:
        database = open_database(made)
        async with database.accounts.begin() as session:
            await session.exec_driver_sql("create role certified login superuser")
        await database.dispose()

    asyncio.run(make_user())
    assert tokens(with_own) == []
    assert tokens(bare) == [UNENCRYPTED]


def test_a_tls_version_that_the_server_has_not_is_refused(server: TlsServer, authority: Authority):
    assert tokens(server.url(*full(authority), "ssl_min_protocol_version=TLSv1.3")) == []
    asyncio.run(_only_old_tls(server, "TLSv1.2"))
    try:
        (line,) = tokens(server.url(*full(authority), "ssl_min_protocol_version=TLSv1.3"))
        assert line.startswith(UNAVAILABLE + "no safe connection is possible")
    finally:
        asyncio.run(_only_old_tls(server, ""))


async def _only_old_tls(server: TlsServer, newest: str) -> None:
    database = open_database(Address(server.socket_url))
    async with database.accounts.connect() as session:
        await session.execution_options(isolation_level="AUTOCOMMIT")
        await session.exec_driver_sql(f"alter system set ssl_max_protocol_version = '{newest}'")
        await session.exec_driver_sql("select pg_reload_conf()")
    await database.dispose()


def test_direct_tls_is_refused_in_one_line_by_a_server_that_is_too_old_for_it(
    server: TlsServer, authority: Authority
):
    # PostgreSQL 17 is the first that has it
    answer = tokens(server.url(*full(authority), "sslnegotiation=direct"))
    assert answer == [] or [line.startswith(UNAVAILABLE) for line in answer] == [True]


def test_a_server_without_tls_is_refused_where_the_address_demands_it(authority: Authority):
    with tls_server(authority.sign("plain"), authority, encrypts=False) as plain:
        assert refusal("migrate", database_url=plain.url("sslmode=require")) == [
            UNAVAILABLE
            + "it offers no encrypted connection, which sslmode in the address demands; switch ssl on in"
            " the server"
        ]
        assert run("migrate", database_url=plain.url()).returncode == 0


def test_check_says_for_each_address_whether_it_is_encrypted(
    server: TlsServer, authority: Authority
):
    url = server.url(*full(authority))
    ended = run(
        "check", database_url=url, migrate_database_url=server.socket_url, encryption_keys=new_key()
    )
    lines = ended.stderr.splitlines()
    assert (
        "ok      LEVITATE_CLIO_DATABASE_URL: the connection to the server is encrypted (TLSv1.3)"
        in lines
    )
    assert (
        "ok      LEVITATE_CLIO_MIGRATE_DATABASE_URL: the connection to the server does not leave this machine"
        in lines
    )
