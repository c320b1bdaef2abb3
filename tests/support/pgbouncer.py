"""PgBouncer in transaction mode, before a test's PostgreSQL. A missing program comes from Debian's package."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

from app.db.connection import Address
from tests.support.debian import unpack
from tests.support.ports import free_port
from tests.support.postgres import address_of
from tests.support.waiting import wait_until

SYSTEM = "/usr/sbin:/usr/bin:/bin"  # where Debian puts the program


@dataclass(frozen=True)
class Pooler:
    """A running PgBouncer, which forwards to one server, and its log."""

    port: int
    log: Path

    def address(self, dsn: str) -> Address:
        """Return the address of this database of the server through the pooler, given that of its owner."""
        direct = address_of(dsn)
        return replace(
            direct,
            url=self._through(direct.url),
            past_pooler=direct.url,
            system=self._through(direct.for_system().url),
        )

    def _through(self, dsn: str) -> str:
        parts = urlsplit(dsn)
        return f"postgresql://{parts.username}@127.0.0.1:{self.port}{parts.path}"


@contextmanager
def pgbouncer(dsn: str, *, server_connections: int) -> Iterator[Pooler]:
    """Run PgBouncer before this server; it opens so many connections to each database."""
    with tempfile.TemporaryDirectory(prefix="lc-pooler-") as path:
        folder = Path(path)
        folder.chmod(0o755)  # root runs it as another user
        program, environment = _program(folder)
        pooler = Pooler(free_port(), folder / "log")
        settings = folder / "pgbouncer.ini"
        users = folder / "users.txt"
        users.write_text(_users(dsn))
        settings.write_text(_settings(dsn, pooler.port, users, server_connections))
        with (
            pooler.log.open("wb") as log,
            subprocess.Popen(
                [program, *_as_user(dsn), settings], env=environment, stdout=log, stderr=log
            ) as process,
        ):
            try:
                wait_until(lambda: _listens(process, pooler), "PgBouncer did not start")
                yield pooler
            finally:
                process.terminate()


def _users(dsn: str) -> str:
    """Return the users and the passwords that the pooler logs in with at the server."""
    address = address_of(dsn)
    parts = [urlsplit(one) for one in (dsn, address.url, address.for_system().url)]
    return "".join(f'"{one.username}" "{unquote(one.password or "")}"\n' for one in parts)


def _settings(dsn: str, port: int, users: Path, server_connections: int) -> str:
    """Return settings that ask nobody for a password, as the embedded server does, and take no startup parameter."""
    return f"""[databases]
* = host={_host(dsn)} port={urlsplit(dsn).port or 5432}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = trust
auth_file = {users}
pool_mode = transaction
default_pool_size = {server_connections}
max_client_conn = 200
"""


def _host(dsn: str) -> str:
    """Return the name of the server, or the folder of its socket."""
    parts = urlsplit(dsn)
    return parts.hostname or parse_qs(parts.query)["host"][0]


def _as_user(dsn: str) -> list[str]:
    """Return the option for a user who may use the server's socket: PgBouncer refuses to run as root."""
    if os.getuid() != 0:
        return []
    folder = Path(_host(dsn))
    return [f"--user={folder.owner() if folder.is_absolute() else 'nobody'}"]


def _listens(process: "subprocess.Popen[bytes]", pooler: Pooler) -> bool:
    text = pooler.log.read_text()
    assert process.poll() is None, text
    return "process up" in text


def _program(folder: Path) -> tuple[str, Mapping[str, str]]:
    """Return the installed program, or that of Debian's package in this folder, and its environment."""
    installed = shutil.which("pgbouncer", path=SYSTEM)
    if installed:
        return installed, {}
    environment = unpack("pgbouncer", folder)
    return str(folder / "usr/sbin/pgbouncer"), environment
