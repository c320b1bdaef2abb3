"""Signs and posts one event to Levitate, by Standard Webhooks. The only place that does.

An endpoint's address is a caller's word, so it is looked at when it is saved and again whenever it is called: the
name is resolved once, every address it has must be one of the public internet, and the connection goes to that
very address under the certificate of the name. A second answer of the resolver is never asked for (T7).
"""

import asyncio
import ipaddress
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import httpx
from standardwebhooks import Webhook

DEADLINE = 15.0  # seconds for one post, from the name's resolution to the answer's last byte
MAX_RESPONSE_BYTES = 64 * 1024  # bytes of an answer that are read; nobody looks at them
MAX_URL_LENGTH = 2000
_PORTS = {"https": 443, "http": 80}
# Their own threads, more than endpoints are served at the same time: each endpoint looks up one name at a time, so
# that those whose names resolve slowly hold up no others.
DNS_THREADS = 64
_resolvers = ThreadPoolExecutor(max_workers=DNS_THREADS, thread_name_prefix="webhook-names")

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Resolver = Callable[[str, int], Awaitable[Sequence[str]]]

_GLOBAL_V6 = ipaddress.ip_network("2000::/3")
# Inside 2000::/3 and yet a way to somewhere else: Teredo and its kin, documentation, 6to4.
_TUNNELS_V6 = tuple(
    map(ipaddress.ip_network, ("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20"))
)
_SPECIAL_V4 = tuple(
    map(
        ipaddress.ip_network,
        ("0.0.0.0/8", "100.64.0.0/10", "192.0.0.0/24", "192.88.99.0/24", "198.18.0.0/15"),
    )
)


class AddressRefused(ValueError):
    """Events may not be posted there; the message says why and holds nothing of the address."""


@dataclass(frozen=True)
class Message:
    """An event as it is posted: the same id and the same bytes every time."""

    event_id: str
    body: bytes


@dataclass(frozen=True)
class Outcome:
    """What became of a post: the receiver's status if there was one, and what was wrong if anything."""

    status: int | None
    problem: str | None

    @property
    def arrived(self) -> bool:
        """Whether the receiver took the event."""
        return self.problem is None

    @property
    def gone(self) -> bool:
        """Whether the receiver says that it wants no more (410)."""
        return self.status == httpx.codes.GONE


def check_url(url: str, private_hosts: frozenset[str]) -> httpx.URL:
    """The address, if events may be posted to it as far as can be told without asking anybody."""
    try:
        parsed = httpx.URL(url)
        host = _host(parsed)
    except (httpx.InvalidURL, ValueError, UnicodeError) as error:
        raise AddressRefused("is not an address") from error
    if len(url) > MAX_URL_LENGTH or any(ord(character) <= ord(" ") for character in url):
        raise AddressRefused("is too long or holds spaces")
    if not host or parsed.userinfo or parsed.fragment:
        raise AddressRefused("must have a host, and no user name and no fragment")
    if host in private_hosts and parsed.scheme in _PORTS:
        return parsed
    if parsed.scheme != "https" or parsed.port not in (None, 443):
        raise AddressRefused("must be https on port 443")
    literal = _literal(host)
    if literal is not None and not is_public(literal):
        raise AddressRefused("must be on the public internet")
    return parsed


def is_public(address: Address) -> bool:
    """Whether an address is one of the public internet, and no way round to another."""
    if isinstance(address, ipaddress.IPv6Address):
        inside = address in _GLOBAL_V6 and not any(address in net for net in _TUNNELS_V6)
        return inside and address.is_global
    if any(address in net for net in _SPECIAL_V4):
        return False
    return address.is_global and not (address.is_multicast or address.is_reserved)


async def resolve(host: str, port: int) -> Sequence[str]:
    """Every address that the system's resolver has for a name."""

    def ask() -> list[tuple[Any, ...]]:
        return list(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))

    found = await asyncio.get_running_loop().run_in_executor(_resolvers, ask)
    return [str(entry[4][0]) for entry in found]


def _host(url: httpx.URL) -> str:
    return url.raw_host.decode("ascii").lower()


def _literal(host: str) -> Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def signature_header(secrets: Sequence[str], message: Message, now: datetime) -> str:
    """The signature header: one signature for each secret that is valid now."""
    moment = now.astimezone(UTC)
    body = message.body.decode()
    return " ".join(Webhook(secret).sign(message.event_id, moment, body) for secret in secrets)


class WebhookSender:
    """Posts events. `resolve` answers a name's addresses; `private_hosts` may be reached although private."""

    def __init__(
        self, *, private_hosts: frozenset[str] = frozenset(), resolve: Resolver = resolve
    ) -> None:
        self.private_hosts = private_hosts
        self._resolve = resolve
        self._tls = ssl.create_default_context()

    @asynccontextmanager
    async def to(self, url: str) -> AsyncIterator["Courier"]:
        """A way to one endpoint. Its connections are its own: none is ever used under another name."""
        client = httpx.AsyncClient(
            verify=self._tls,
            trust_env=False,
            follow_redirects=False,
            timeout=httpx.Timeout(DEADLINE, connect=5.0),
            headers={"User-Agent": "levitate-clio", "Content-Type": "application/json"},
        )
        async with client:
            yield EndpointClient(client, url, self.private_hosts, self._resolve)


class EndpointClient:
    """Posts events to one endpoint, several at a time if asked to."""

    def __init__(
        self,
        client: httpx.AsyncClient,
        url: str,
        private_hosts: frozenset[str],
        resolve: Resolver,
    ) -> None:
        self._client = client
        self._url = url
        self._private_hosts = private_hosts
        self._resolve = resolve
        self._looking = asyncio.Lock()
        self._found: Sequence[str] = ()
        self._found_at = -1.0

    async def post(self, message: Message, secrets: Sequence[str], *, now: datetime) -> Outcome:
        """Post the event once; every failure is an outcome."""
        headers = {
            "webhook-id": message.event_id,
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": signature_header(secrets, message, now),
        }
        try:
            async with asyncio.timeout(DEADLINE):
                return await self._exchange(message, headers)
        except AddressRefused:
            return Outcome(None, "address_refused")
        except (TimeoutError, httpx.TimeoutException):
            return Outcome(None, "timed_out")
        except (httpx.HTTPError, OSError, UnicodeError):
            return Outcome(None, "unreachable")

    async def _exchange(self, message: Message, headers: dict[str, str]) -> Outcome:
        url = check_url(self._url, self._private_hosts)
        host = _host(url)
        target = url.copy_with(host=await self._address(url, host))
        request = self._client.build_request(
            "POST",
            target,
            content=message.body,
            headers={**headers, "Host": url.netloc.decode("ascii")},
            extensions={"sni_hostname": host},
        )
        response = await self._client.send(request, stream=True)
        try:
            read = 0
            async for chunk in response.aiter_raw():  # raw: what is packed stays packed
                read += len(chunk)
                if read > MAX_RESPONSE_BYTES:
                    break
        finally:
            await response.aclose()
        problem = None if response.is_success else "refused"
        return Outcome(response.status_code, problem)

    async def _address(self, url: httpx.URL, host: str) -> str:
        """The one address that is connected to; raises AddressRefused if any that the name has is not public."""
        if _literal(host) is not None:
            return host  # checked as a part of the URL
        found = await self._looked_up(host, url.port or _PORTS[url.scheme])
        addresses = [ipaddress.ip_address(text) for text in found]
        if host not in self._private_hosts:
            for address in addresses:
                if not is_public(address) and str(address) not in self._private_hosts:
                    raise AddressRefused("must be on the public internet")
        if not addresses:
            raise AddressRefused("has no address")
        return str(addresses[0])

    async def _looked_up(self, host: str, port: int) -> Sequence[str]:
        """The name's addresses as of this post; posts that wait for the same answer share it."""
        now = asyncio.get_running_loop().time
        began = now()
        async with self._looking:
            if self._found_at <= began:
                self._found = await self._resolve(host, port)
                self._found_at = now()
            return self._found
