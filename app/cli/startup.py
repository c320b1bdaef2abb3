"""The shared parts of the commands: configuration, keys, port, and the report of a mistake in one line.

`database.py` has what a command does with the database before its work.
"""

import gc
import os
import socket
from pathlib import Path
from typing import NoReturn

import typer
from pydantic import SecretStr, ValidationError
from rich.console import Console

from app import config as configuration
from app import logs, shutdown
from app.clio.regions import check_origin
from app.config import Config
from app.crypto import InvalidKey, TokenCipher, new_key
from app.db import embedded
from app.db.address_options import find_faults
from app.db.addresses import DIRECT_URL, OWNER_URL, SYSTEM_URL, URL
from app.errors import CannotStart

stderr = Console(stderr=True, highlight=False, soft_wrap=True)
OF_A_REGION = (
    "those of a region are LEVITATE_CLIO_REGIONS__US__CLIENT_ID, …__CLIENT_SECRET and …__ORIGIN,"
    " likewise with EU, CA and AU"
)
YOUNG_OBJECTS = 50_000  # that the garbage collector lets a process make before it looks at them


def read_config() -> Config:
    """Return the configuration; for mistakes print one line each and exit with code 2."""
    _report_unknown_variables()
    try:
        config = Config()
    except ValidationError as error:
        fail(*configuration.describe_errors(error))
    for region, registered in config.regions.items():
        _check_origin(region, registered.origin)
    _check_addresses(config)
    logs.configure(config.log_level, config.log_format)
    return config


def _report_unknown_variables() -> None:
    """Print a line for each unknown variable; refuse those that were meant for a region."""
    unknown = configuration.find_unknown_variables()
    refused = [name for name in unknown if configuration.is_about_a_region(name)]
    for name in sorted(set(unknown) - set(refused)):
        stderr.print(
            f"{name}: unknown variable; docs/operations.md lists all variables", markup=False
        )
    if refused:
        fail(*(f"{name}: unknown variable; {OF_A_REGION}" for name in refused))


def _check_origin(region: str, origin: str | None) -> None:
    """Refuse an origin to which no token may be sent now, and not at the first request."""
    try:
        if origin is not None:
            check_origin(origin)
    except ValueError as error:
        fail(f"LEVITATE_CLIO_REGIONS__{region.upper()}__ORIGIN: {error}")


def _check_addresses(config: Config) -> None:
    """Refuse options of the database's addresses that would not work as they say, a line for each."""
    addresses = {
        URL: config.database_url,
        DIRECT_URL: config.direct_database_url,
        SYSTEM_URL: config.system_database_url,
        OWNER_URL: config.migrate_database_url,
    }
    faults = [
        f"{variable}: {fault}"
        for variable, address in addresses.items()
        if address is not None
        for fault in find_faults(address.get_secret_value())
    ]
    if faults:
        fail(*faults)


def add_keys(config: Config) -> Config:
    """Return the configuration with its encryption keys; the embedded database has a key of its own.

    Raises CannotStart if there is no key, or one that cannot be used.
    """
    source = "LEVITATE_CLIO_ENCRYPTION_KEYS"
    if config.encryption_keys is None:
        config = config.model_copy(update={"encryption_keys": SecretStr(_own_key(config))})
        source = str(_key_file(config))
    try:
        TokenCipher(config.encryption_key_list())
    except InvalidKey as error:
        raise CannotStart(f"{source}: {error}") from None
    return config


def _key_file(config: Config) -> Path:
    return Path(config.data_dir) / "encryption.key"


def _own_key(config: Config) -> str:
    """Return the key of the embedded database. Raises CannotStart if another database is configured."""
    if config.database_url is not None:
        raise CannotStart(
            "LEVITATE_CLIO_ENCRYPTION_KEYS: not set; make a key with"
            " `(umask 077; openssl rand -base64 32 | tr '+/' '-_' > encryption.key)`, keep it in your secret store, and"
            " set the variable from there"
        )
    embedded.launcher()
    try:
        return load_or_create_key(_key_file(config))
    except OSError as error:
        raise CannotStart(
            f"LEVITATE_CLIO_DATA_DIR: {config.data_dir} is not writable ({error.strerror});"
            " set it to a folder that this user may write"
        ) from None


def load_or_create_key(path: Path) -> str:
    """Return the embedded database's key. It is created once and only its owner may read it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with open(path, "x", opener=lambda name, flags: os.open(name, flags, 0o600)) as file:
            file.write(new_key())
    except FileExistsError:
        pass  # created at an earlier start
    return path.read_text(errors="replace").strip()


def spare_collector() -> None:
    """Let the garbage collector leave alone what exists now, and look for garbage less often.

    Imports make 200,000 objects that live as long as the process. Records and results of the rules hold no cycles and
    are no garbage of the collector, so it finds little.
    """
    # The collector calls what waits for the end of objects, and Python ignores an exception there, that of SIGTERM too.
    with shutdown.defer_signals():
        gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG_OBJECTS, 10, 10)


def listen(host: str, port: int, *, how: str = "--port") -> socket.socket:
    """Return a socket bound to this address. Raises CannotStart if it cannot be bound; `how` the port is chosen."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except (OSError, UnicodeError) as error:
        listener.close()
        raise CannotStart(_cannot_listen(host, port, how, error)) from None
    return listener


def _cannot_listen(host: str, port: int, how: str, error: OSError | UnicodeError) -> str:
    reason = getattr(error, "strerror", None) or "it is no host name"
    if isinstance(error, socket.gaierror | UnicodeError):
        return f"{host} is not an address to listen on ({reason}); choose another with --host"
    return f"Cannot listen on {host}:{port} ({reason}); choose another port with {how}"


def fail(*lines: str) -> NoReturn:
    """Print the lines on stderr and exit with code 2."""
    for line in lines:
        stderr.print(line, markup=False)
    raise typer.Exit(2)
