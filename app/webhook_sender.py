"""Signs events as Standard Webhooks and posts them to Levitate's webhook endpoints. No other module does this.

Callers choose the URL of an endpoint, so it is checked when it is saved and again before each post, to prevent
server-side request forgery: the host name is resolved once, every address must be on the public internet, and the
connection goes to exactly that address with the certificate of the name. Resolving the name a second time would let an
attacker return another address (DNS rebinding) [T7].
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

DEADLINE = 10.0  # seconds for one post, from resolving the name to the last byte of the response
MAX_RESPONSE_BYTES = 64 * 1024  # bytes of a response that are read
BEGINNING_BYTES = 300  # of a refusal, for whoever tests an endpoint; nothing else uses the body
MAX_URL_LENGTH = 2000
_PORTS = {"https": 443, "http": 80}
# Threads for name lookups only, more than endpoints that are served at the same time. Each endpoint looks up one name
# at a time, so endpoints whose names resolve slowly do not block others.
DNS_THREADS = 128
_resolvers = ThreadPoolExecutor(max_workers=DNS_THREADS, thread_name_prefix="webhook-names")

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Resolver = Callable[[str, int], Awaitable[Sequence[str]]]

_GLOBAL_V6 = ipaddress.ip_network("2000::/3")
# Inside 2000::/3, but they lead elsewhere: Teredo and similar tunnels, documentation, 6to4.
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
    """Events may not be posted to this URL. The message says why and contains no part of the URL."""


@dataclass(frozen=True)
class Message:
    """An event as it is posted. Every attempt sends the same id and the same bytes."""

    event_id: str
    body: bytes


@dataclass(frozen=True)
class Outcome:
    """The result of one post: the receiver's HTTP status or None, and a code for the problem or None."""

    status: int | None
    problem: str | None
    beginning: str | None = None  # of the text of a response that is not 2xx

    @property
    def succeeded(self) -> bool:
        """Return whether the receiver accepted the event."""
        return self.problem is None

    @property
    def endpoint_gone(self) -> bool:
        """Return whether the receiver wants no more events (410 Gone)."""
        return self.status == httpx.codes.GONE


def check_url(url: str, private_hosts: frozenset[str]) -> httpx.URL:
    """Return the parsed URL, or raise AddressRefused if events may not be posted to it.

    This checks only the text of the URL and resolves no name. Hosts in `private_hosts` may be private and use http.
    """
    try:
        parsed = httpx.URL(url)
        host = _host(parsed)
    except (httpx.InvalidURL, ValueError, UnicodeError) as error:
        raise AddressRefused("is not a URL") from error
    if len(url) > MAX_URL_LENGTH or any(ord(character) <= ord(" ") for character in url):
        raise AddressRefused(f"must have at most {MAX_URL_LENGTH} characters and no spaces")
    if not host or parsed.userinfo or parsed.fragment:
        raise AddressRefused("must have a host, no user name and no fragment")
    if host in private_hosts and parsed.scheme in _PORTS:
        return parsed
    if parsed.scheme != "https" or parsed.port not in (None, 443):
        raise AddressRefused("must use https on port 443")
    literal = _literal(host)
    if literal is not None and not is_public(literal):
        raise AddressRefused("must be on the public internet")
    return parsed


def is_public(address: Address) -> bool:
    """Return whether an address is on the public internet and does not tunnel to another network."""
    if isinstance(address, ipaddress.IPv6Address):
        unicast = address in _GLOBAL_V6 and not any(address in net for net in _TUNNELS_V6)
        return unicast and address.is_global
    if any(address in net for net in _SPECIAL_V4):
        return False
    return address.is_global and not (address.is_multicast or address.is_reserved)


async def resolve(host: str, port: int) -> Sequence[str]:
    """Return every address that the system's resolver has for a host name."""

    def look_up() -> list[tuple[Any, ...]]:
        return list(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))

    entries = await asyncio.get_running_loop().run_in_executor(_resolvers, look_up)
    return [str(entry[4][0]) for entry in entries]


def _host(url: httpx.URL) -> str:
    return url.raw_host.decode("ascii").lower()


def _literal(host: str) -> Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def signature_header(secrets: Sequence[str], message: Message, now: datetime) -> str:
    """Return the value of the signature header: one signature for each valid secret, separated by spaces."""
    moment = now.astimezone(UTC)
    body = message.body.decode()
    return " ".join(Webhook(secret).sign(message.event_id, moment, body) for secret in secrets)


def _printable(beginning: bytes) -> str:
    """Return bytes as one line of text without control characters."""
    text = "".join(c if c.isprintable() else " " for c in beginning.decode(errors="replace"))
    return " ".join(text.split())


class WebhookSender:
    """Opens clients for endpoints. `resolve` returns a name's addresses; `private_hosts` may have private ones."""

    def __init__(
        self, *, private_hosts: frozenset[str] = frozenset(), resolve: Resolver = resolve
    ) -> None:
        self.private_hosts = private_hosts
        self._resolve = resolve
        self._tls = ssl.create_default_context()

    @asynccontextmanager
    async def connect(self, url: str) -> AsyncIterator["EndpointClient"]:
        """Open a client for one endpoint. Its connections are never used for another host name."""
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
    """Posts events to one endpoint. Several posts may run at the same time."""

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
        self._lookup_lock = asyncio.Lock()
        self._addresses: Sequence[str] = ()
        self._resolved_at = -1.0

    async def post(self, message: Message, secrets: Sequence[str], *, now: datetime) -> Outcome:
        """Post the event once. It does not raise: every failure is an Outcome."""
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
            read, beginning = 0, b""
            async for chunk in response.aiter_raw():  # raw: a compressed body is not decompressed
                read += len(chunk)
                beginning = (beginning + chunk)[:BEGINNING_BYTES]
                if read > MAX_RESPONSE_BYTES:
                    break
        finally:
            await response.aclose()
        if response.is_success:
            return Outcome(response.status_code, None)
        return Outcome(response.status_code, "refused", _printable(beginning) or None)

    async def _address(self, url: httpx.URL, host: str) -> str:
        """Return the address to connect to. Raise AddressRefused if any address of the name is not public."""
        if _literal(host) is not None:
            return host  # check_url has checked it
        resolved = await self._look_up(host, url.port or _PORTS[url.scheme])
        addresses = [ipaddress.ip_address(text) for text in resolved]
        if host not in self._private_hosts:
            for address in addresses:
                if not is_public(address) and str(address) not in self._private_hosts:
                    raise AddressRefused("must be on the public internet")
        if not addresses:
            raise AddressRefused("has no address")
        return str(addresses[0])

    async def _look_up(self, host: str, port: int) -> Sequence[str]:
        """Return the name's addresses, resolved after this call began. Posts that wait together share one lookup."""
        now = asyncio.get_running_loop().time
        began = now()
        async with self._lookup_lock:
            if self._resolved_at <= began:
                self._addresses = await self._resolve(host, port)
                self._resolved_at = now()
            return self._addresses
