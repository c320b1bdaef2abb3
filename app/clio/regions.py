"""Clio's four regions. They are separate systems, each with its own host, app registration and tokens."""

from dataclasses import dataclass
from enum import StrEnum
from ipaddress import ip_address
from urllib.parse import urlsplit

from pydantic import SecretStr


class Region(StrEnum):
    """A region of Clio: United States, Europe, Canada or Australia. A login of one does not work in another."""

    US = "us"
    EU = "eu"
    CA = "ca"
    AU = "au"


_ORIGINS = {
    Region.US: "https://app.clio.com",
    Region.EU: "https://eu.app.clio.com",
    Region.CA: "https://ca.app.clio.com",
    Region.AU: "https://au.app.clio.com",
}


@dataclass(frozen=True)
class ClioApp:
    """The app as registered in one region. Tokens are sent to this origin only."""

    region: Region
    origin: str
    client_id: str
    client_secret: SecretStr


def origin_of(region: Region) -> str:
    """Return Clio's origin in a region."""
    return _ORIGINS[region]


def check_origin(origin: str) -> str:
    """Return the origin. Raise ValueError unless it is https, or http on this machine, and has no path."""
    parts = urlsplit(origin)
    bare = f"{parts.scheme}://{parts.netloc}"
    if origin not in (bare, f"{bare}/") or not parts.hostname or "@" in parts.netloc:
        raise ValueError("must be scheme://host[:port] without a path")
    if parts.scheme != "https" and not (parts.scheme == "http" and _is_loopback(parts.hostname)):
        raise ValueError(
            "must begin with https:// (plain http only for 127.0.0.1, ::1 or localhost)"
        )
    return bare


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
