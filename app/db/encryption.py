"""Whether the connections to the database are encrypted, and whether it is proven who answers, for `check`."""

from collections.abc import Iterator
from dataclasses import dataclass

from app.db.addresses import DIRECT_URL, OWNER_URL, SYSTEM_URL, URL
from app.db.connection import CONNECT_SECONDS, Address, Link, connect
from app.db.failures import sorted_failures

_SERVER_SIDE = "select ssl from pg_stat_ssl where pid = pg_backend_pid()"


@dataclass(frozen=True)
class Encryption:
    """How the connections of one address are protected.

    `link` leads to whoever answers there, the server or a pooler. `reaches_server` says whether the connection that the
    server itself sees is encrypted. Both differ only behind a pooler, which has its own connections to the server.
    """

    variable: str
    link: Link
    reaches_server: bool
    is_pooled: bool


async def find_encryption(address: Address) -> list[Encryption]:
    """Return how the connections of each address are protected. Raises DatabaseUnavailable."""
    return [await _look(*one) for one in _addresses(address)]


def _addresses(address: Address) -> Iterator[tuple[str, str, bool]]:
    """Yield the variable of each address that is set, the address, and whether a pooler answers there."""
    is_pooled = address.past_pooler is not None
    yield URL, address.url, is_pooled
    if address.past_pooler is not None:
        yield DIRECT_URL, address.past_pooler, False
    if address.system is not None:
        yield SYSTEM_URL, address.system, is_pooled
    if address.owner is not None:
        yield OWNER_URL, address.owner, False


async def _look(variable: str, url: str, is_pooled: bool) -> Encryption:
    with sorted_failures():
        connection = await connect(url, deadline=CONNECT_SECONDS, pooled=is_pooled)
        try:
            is_encrypted = bool(await connection.fetchval(_SERVER_SIDE))
        finally:
            await connection.close(timeout=CONNECT_SECONDS)
    return Encryption(variable, connection.link, is_encrypted, is_pooled)
