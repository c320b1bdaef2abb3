"""Clio's four regions: separate systems, each with its own host, app and tokens (Clio's handbook, regions)."""

from dataclasses import dataclass, field
from enum import StrEnum
from ipaddress import ip_address
from urllib.parse import urlsplit


class Region(StrEnum):
    """A region of Clio. A token of one is useless in another."""

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
    """Our app as it is registered in one region; tokens go to exactly this origin."""

    region: Region
    origin: str
    client_id: str
    client_secret: str = field(repr=False)


def origin_of(region: Region) -> str:
    """Clio's own origin in a region."""
    return _ORIGINS[region]


def check_origin(origin: str) -> str:
    """The origin, if a token may go there: https, or plain http to this machine, and nothing but scheme and host."""
    parts = urlsplit(origin)
    bare = f"{parts.scheme}://{parts.netloc}"
    if origin not in (bare, f"{bare}/") or not parts.hostname or "@" in parts.netloc:
        raise ValueError("must be scheme://host[:port] with nothing behind it")
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
