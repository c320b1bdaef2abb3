"""A PostgreSQL server with a certificate, which refuses connections over TCP that are not encrypted.

The embedded server is built without TLS. So this is the installed one, or that of Debian's package.
"""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support.certificates import Authority, Pair
from tests.support.debian import unpack
from tests.support.ports import free_port
from tests.support.waiting import wait_until

PROGRAMS = "usr/lib/postgresql/*/bin"
ACCESS = """local all all trust
hostssl all certified all cert
hostssl all all all trust
"""


@dataclass(frozen=True)
class TlsServer:
    """A running server. `folder` has its socket."""

    port: int
    folder: Path
    log: Path

    def url(self, *options: str, host: str = "localhost", user: str = "postgres") -> str:
        """Return the address of its database over TCP with these options."""
        query = "?" + "&".join(options) if options else ""
        return f"postgresql://{user}@{host}:{self.port}/postgres{query}"

    @property
    def socket_url(self) -> str:
        """The address of its database by its socket, over which nothing is encrypted."""
        return f"postgresql://postgres@/postgres?host={self.folder}&port={self.port}"


@contextmanager
def tls_server(own: Pair, clients: Authority, *, encrypts: bool = True) -> Iterator[TlsServer]:
    """Run a server with this certificate that accepts client certificates of this authority; or one without TLS."""
    with tempfile.TemporaryDirectory(prefix="lc-tls-", dir="/tmp") as path:
        folder = Path(path)
        programs, environment = _programs(folder)
        how: dict[str, Any] = {"env": environment, **_as_user(folder)}
        data = folder / "data"
        started: list[str | Path] = [
            programs / "initdb",
            "--auth=trust",
            "--username=postgres",
            "--no-sync",
            data,
        ]
        subprocess.run(started, check=True, capture_output=True, **how)
        server = TlsServer(free_port(), folder, folder / "log")
        _configure(data, server, own, clients, encrypts)
        with (
            server.log.open("wb") as log,
            subprocess.Popen(
                [programs / "postgres", "-D", data], stdout=log, stderr=log, **how
            ) as process,
        ):
            try:
                wait_until(lambda: _is_ready(process, server), "PostgreSQL did not start")
                yield server
            finally:
                process.terminate()


def _configure(
    data: Path, server: TlsServer, own: Pair, clients: Authority, encrypts: bool
) -> None:
    for name, file in (
        ("own.crt", own.certificate),
        ("own.key", own.key),
        ("clients.crt", clients.certificate),
    ):
        shutil.copy(file, data / name)
        (data / name).chmod(0o600)
        shutil.chown(data / name, data.owner())
    settings = {
        "listen_addresses": "localhost", "port": server.port, "unix_socket_directories": server.folder,
        "ssl": "on" if encrypts else "off", "ssl_cert_file": "own.crt", "ssl_key_file": "own.key",
        "ssl_ca_file": "clients.crt", "fsync": "off",
    }  # fmt: skip
    lines = "".join(f"{name} = '{value}'\n" for name, value in settings.items())
    (data / "postgresql.conf").write_text(lines)
    access = ACCESS if encrypts else ACCESS.replace("hostssl all all", "host all all")
    (data / "pg_hba.conf").write_text(
        access if encrypts else access.replace("hostssl all certified all cert\n", "")
    )


def _is_ready(process: "subprocess.Popen[bytes]", server: TlsServer) -> bool:
    text = server.log.read_text()
    assert process.poll() is None, text
    return "ready to accept connections" in text


def _as_user(folder: Path) -> dict[str, str]:
    """Return the user who runs the server, whose folder this becomes: PostgreSQL refuses to run as root."""
    folder.chmod(0o755)
    if os.getuid() != 0:
        return {}
    shutil.chown(folder, "nobody")
    return {"user": "nobody"}


def _programs(folder: Path) -> tuple[Path, Mapping[str, str]]:
    """Return the folder of the installed programs, or of those of Debian's package, and their environment."""
    if installed := sorted(Path("/").glob(f"{PROGRAMS}/postgres")):
        return installed[-1].parent, {}
    environment = unpack("postgresql", folder)
    return max(folder.glob(f"{PROGRAMS}/postgres")).parent, environment
