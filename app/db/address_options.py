"""The options of an address of the database, such as `sslmode`: which ones work, and why the others are refused.

asyncpg reads the address of every connection. It knows some options of libpq, sends all others to the server as
settings, and drops one without a value. So an option that would have no effect, or another one than in libpq, is
refused before the first connection.
"""

import re
import ssl
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from urllib.parse import SplitResult, parse_qsl, urlsplit

VERIFYING = ("verify-ca", "verify-full")
ENCRYPTING = ("require", *VERIFYING)
TLS_VERSIONS = ("TLSv1.2", "TLSv1.3")

_VALUES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "sslmode": ("disable", "allow", "prefer", *ENCRYPTING),
        "sslnegotiation": ("postgres", "direct"),
        "ssl_min_protocol_version": TLS_VERSIONS,
        "ssl_max_protocol_version": TLS_VERSIONS,
        "target_session_attrs": (
            *("any", "primary", "standby", "read-write", "read-only", "prefer-standby"),
        ),
    }
)
_FILES = ("sslrootcert", "sslcrl", "sslcert", "sslkey", "passfile")
# `options` has settings of the server, as in `options=-c%20search_path%3Dpublic`.
_FREE = ("host", "port", "user", "password", "dbname", "database", "sslpassword", "options")
_PORTS = re.compile(r"\d{1,5}(,\d{1,5})*", re.ASCII)
WORKING = frozenset({*_VALUES, *_FILES, *_FREE})

_ADVICE = MappingProxyType(
    {
        "application_name": "leave it out, the service names its connections itself",
        "channel_binding": "leave it out, the driver has no channel binding; sslmode=verify-full proves who answers",
        "connect_timeout": "leave it out, the service waits five seconds for each connection",
        "hostaddr": "write the address of the host instead of its name",
        "service": "write what the service file says into the address",
        "sslcrldir": "name one file with sslcrl",
    }
)
_NAME = re.compile(r"[a-z_]{1,40}", re.ASCII)


def find_faults(url: str) -> Iterator[str]:
    """Yield what is wrong with the options of an address, a sentence each, without a value that may be secret."""
    parts = urlsplit(url)
    if parts.fragment or "@" in parts.path + parts.query:
        yield "one of the characters # ? / @ is in it unquoted; write each in a password or option as %XX"
        return
    try:
        options = dict(parse_qsl(parts.query, keep_blank_values=True, strict_parsing=True))
    except ValueError:
        if parts.query:
            yield "what follows the ? is not a list of options such as ?sslmode=verify-full"
        return
    faults = [fault for name, value in options.items() for fault in _fault_of(name, value)]
    yield from faults or _faults_together(options, parts)


def _fault_of(name: str, value: str) -> Iterator[str]:
    """Yield what is wrong with one option."""
    if name not in WORKING:
        shown = f"`{name}`" if _NAME.fullmatch(name) else "an option of the address"
        advice = _ADVICE.get(name, "docs/operations.md lists the options that work")
        yield f"{shown} cannot be used; {advice}"
    elif not value:
        yield f"`{name}` has no value; set it or leave it out"
    elif value not in _VALUES.get(name, (value,)):
        yield f"`{name}` must be one of {', '.join(_VALUES[name])}"
    elif name == "port" and not _PORTS.fullmatch(value):
        yield "`port` must be a number"
    elif (name, value) == ("sslrootcert", "system"):
        yield "`sslrootcert=system` cannot be used; name the file with the certificates of the authorities"
    elif name in _FILES:
        yield from _unreadable(name, value)


def _unreadable(name: str, path: str) -> Iterator[str]:
    try:
        with open(path, "rb"):
            pass
    except OSError as error:
        yield f"`{name}`: its file cannot be read ({error.strerror}); name one that this user can read"


def _faults_together(options: Mapping[str, str], parts: SplitResult) -> Iterator[str]:
    """Yield which options do not fit together, and which files have something else than is needed."""
    path = parts.path.strip("/")
    before = {"host": parts.hostname, "port": parts.port, "user": parts.username}
    before |= {"password": parts.password, "dbname": path, "database": path}
    for name in before.keys() & options.keys():
        if before[name]:  # the driver takes this one, libpq the option
            yield f"`{name}` is in it twice; leave one out"
    encrypts = options.get("sslmode") in ENCRYPTING
    for name in ("sslrootcert", "sslcrl"):
        if name in options and not encrypts:
            yield f"`{name}` has no effect without sslmode=verify-full; set both"
    if options.get("sslnegotiation") == "direct" and not encrypts:
        yield "`sslnegotiation=direct` needs sslmode=verify-full"
    if "sslkey" in options and "sslcert" not in options:
        yield "`sslkey` has no effect without sslcert; set both"
    yield from _wrong_files(options)


def _wrong_files(options: Mapping[str, str]) -> Iterator[str]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    for name in ("sslrootcert", "sslcrl"):
        try:
            if name in options:
                context.load_verify_locations(cafile=options[name])
        except ssl.SSLError:
            yield f"`{name}`: its file has no certificates or revocations in PEM form"
    if "sslcert" not in options:
        return
    password = options.get("sslpassword", "")
    try:
        context.load_cert_chain(options["sslcert"], options.get("sslkey"), lambda: password)
    except (ssl.SSLError, OSError):
        yield "`sslcert` and `sslkey` do not name a certificate and its key in PEM form, or sslpassword is wrong"
