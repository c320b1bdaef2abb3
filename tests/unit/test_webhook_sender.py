"""Tests of the addresses to which events may be posted: the service posts to no other address [T7]."""

import asyncio
import ipaddress
import socket
import ssl
import threading
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from standardwebhooks import Webhook

from app import webhook_sender
from app.lanes import Lane
from app.main import now
from app.sync.worker import PLACES
from app.webhook_sender import AddressRefused, Message, WebhookSender, check_url, is_public
from tests.support.webhook_receiver import Receiver, receiving

MESSAGE = Message("evt_1", b'{"type":"client.new"}')
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
OLD = "whsec_C2FVsBQIhrscChlQIMV-b5sSYspob7oD".replace("-", "x")

PRIVATE_V4 = [
    "0.0.0.0", "0.1.2.3", "10.0.0.1", "10.255.255.255", "100.64.0.1", "100.127.255.254",
    "127.0.0.1", "127.255.255.254", "169.254.169.254", "169.254.0.1", "172.16.0.1",
    "172.31.255.255", "192.0.0.1", "192.0.0.170", "192.0.2.1", "192.88.99.1", "192.168.0.1",
    "192.168.255.255", "198.18.0.1", "198.19.255.255", "198.51.100.1", "203.0.113.1",
    "224.0.0.1", "239.255.255.250", "240.0.0.1", "255.255.255.255",
]  # fmt: skip
PRIVATE_V6 = [
    "::", "::1", "::127.0.0.1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254",
    "::ffff:8.8.8.8", "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "64:ff9b:1::1", "100::1", "2001::1",
    "2001:10::1", "2001:20::1", "2001:db8::1", "2002:7f00:1::1", "2002:a00:1::1", "2002:808:808::1",
    "3fff::1", "5f00::1", "fc00::1", "fd00:ec2::254", "fe80::1", "fe80::a9fe:a9fe", "fec0::1",
    "ff02::1", "ff0e::1",
]  # fmt: skip
ODD_SPELLINGS = [
    "2130706433", "0x7f000001", "0x7f.0.0.1", "0177.0.0.1", "017700000001", "127.1", "127.0.1",
    "0x7f.1", "0", "0x0", "00000000000", "2852039166", "0xa9fea9fe", "0251.0376.0251.0376",
    "169.254.43518", "3232235521", "0xc0.0xa8.0x00.0x01", "10.1", "127.0.0.1.", "127.000.000.001",
]  # fmt: skip
MALFORMED = [
    "http://hooks.example.com/", "ftp://hooks.example.com/", "file:///etc/passwd",
    "gopher://hooks.example.com/", "//hooks.example.com/", "hooks.example.com", "", "https://",
    "https:///path", "https:hooks.example.com", "javascript:alert(1)", "data:text/plain,x",
    "https://user@hooks.example.com/", "https://user:pass@hooks.example.com/",
    "https://hooks.example.com@127.0.0.1/", "https://hooks.example.com:22/",
    "https://hooks.example.com:80/", "https://hooks.example.com:8443/",
    "https://hooks.example.com:65536/", "https://hooks.example.com:-1/",
    "https://hooks.example.com/#fragment", "https://hooks.example.com/ space",
    "https://hooks.example.com/\r\nHost: evil", "https://hooks.example.com/\ttab",
    "https://hooks.example.com\\@127.0.0.1/", "https://[::1", "https://[::1]x/", "https://[]/",
    "https://hooks.example.com:443:443/", "https://hooks.exa mple.com/", "https://\x00/",
    "unix:///var/run/docker.sock", "https://" + "a" * 2000 + ".example/",
]  # fmt: skip


def resolver(*answers: Sequence[str]):
    """Return a resolver that returns these results in turn, then always the last, and the list of requested names."""
    asked: list[str] = []

    async def resolve(host: str, port: int) -> Sequence[str]:
        asked.append(host)
        return answers[min(len(asked), len(answers)) - 1]

    return resolve, asked


async def post(notifier: WebhookSender, url: str, *secrets: str) -> webhook_sender.Outcome:
    async with notifier.connect(url) as courier:
        return await courier.post(MESSAGE, secrets or [SECRET], now=now())


@pytest.mark.parametrize("url", MALFORMED)
def test_a_url_that_is_not_https_is_refused_when_it_is_saved(url: str):
    with pytest.raises(AddressRefused):
        check_url(url, frozenset())


@pytest.mark.parametrize("address", PRIVATE_V4 + PRIVATE_V6)
async def test_an_address_outside_the_public_internet_is_never_called(address: str):
    literal = f"https://[{address}]/" if ":" in address else f"https://{address}/"
    with pytest.raises(AddressRefused):
        check_url(literal, frozenset())
    resolve, asked = resolver([address])
    outcome = await post(WebhookSender(resolve=resolve), "https://hooks.example.com/")
    assert outcome == webhook_sender.Outcome(None, "address_refused")
    assert asked == ["hooks.example.com"]
    mixed, _ = resolver(["93.184.216.34", address])
    outcome = await post(WebhookSender(resolve=mixed), "https://hooks.example.com/")
    assert outcome.problem == "address_refused"


@pytest.mark.parametrize("host", ODD_SPELLINGS)
async def test_an_unusual_spelling_of_a_private_address_is_refused_by_the_address_it_resolves_to(
    host: str,
):
    outcome = await post(WebhookSender(), f"https://{host}/")
    assert outcome.problem in ("address_refused", "unreachable")


def test_the_tables_have_more_than_a_hundred_hostile_forms():
    assert len(PRIVATE_V4 + PRIVATE_V6 + ODD_SPELLINGS + MALFORMED) > 100


@pytest.mark.parametrize("address", ["8.8.8.8", "93.184.216.34", "2606:2800:220:1::1"])
def test_a_public_address_is_accepted(address: str):
    assert is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize("name", ["localhost", "localhost.", "LOCALHOST"])
async def test_the_local_machine_is_never_called_by_any_of_its_names(name: str):
    async with receiving() as receiver:
        outcome = await post(WebhookSender(), f"https://{name}/")
    assert outcome.problem in ("address_refused", "unreachable")
    assert receiver.received == []


async def test_a_name_is_resolved_once_and_the_connection_goes_to_that_address():
    # DNS rebinding: the name is resolved once, and the connection goes to that address
    resolve, asked = resolver(["192.0.2.1"], ["127.0.0.1"])
    public, _ = resolver(["127.0.0.1"], ["10.0.0.1"])
    outcome = await post(WebhookSender(resolve=resolve), "https://hooks.example.com/")
    assert (outcome.problem, len(asked)) == ("address_refused", 1)
    async with receiving() as receiver:
        notifier = WebhookSender(private_hosts=frozenset({"hooks.test"}), resolve=public)
        outcome = await post(notifier, f"http://hooks.test:{receiver.port}/hook")
    assert outcome.succeeded
    assert receiver.received[0].headers["host"] == f"hooks.test:{receiver.port}"


async def test_an_address_is_checked_again_at_every_post():
    # saved while public, private later
    resolve, asked = resolver(["127.0.0.1"], ["10.0.0.1"])
    async with receiving() as receiver:
        hosts = frozenset({"127.0.0.1", "hooks.test"})
        notifier = WebhookSender(private_hosts=hosts, resolve=resolve)
        async with notifier.connect(f"http://hooks.test:{receiver.port}/") as courier:
            assert (await courier.post(MESSAGE, [SECRET], now=now())).succeeded
            notifier_without = webhook_sender.EndpointClient(
                courier._client, "https://hooks.test/", frozenset({"127.0.0.1"}), resolve
            )
            again = await notifier_without.post(MESSAGE, [SECRET], now=now())
    assert again.problem == "address_refused"
    assert len(asked) == 2


async def test_a_private_host_is_called_only_if_it_was_configured_by_name_or_address():
    async with receiving() as receiver:
        url = receiver.url
        assert (await post(WebhookSender(), url)).problem == "address_refused"
        by_address = WebhookSender(private_hosts=frozenset({"127.0.0.1"}))
        assert (await post(by_address, url)).succeeded
    assert [post.path for post in receiver.received] == ["/hook"]


async def test_an_endpoint_whose_name_resolves_slowly_does_not_block_others(
    monkeypatch: pytest.MonkeyPatch,
):
    # F26: one endpoint must not use all threads that resolve names
    answered, asked = threading.Event(), []

    def getaddrinfo(host: str, port: int, **_: object) -> list[tuple[object, ...]]:
        asked.append(host)
        if host == "slow.test":
            answered.wait(30)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    notifier = WebhookSender(private_hosts=frozenset({"slow.test", "quick.test"}))
    async with receiving() as receiver, notifier.connect("http://slow.test:9/") as slow:
        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(40):
                    group.create_task(slow.post(MESSAGE, [SECRET], now=now()))
                outcome = await post(notifier, f"http://quick.test:{receiver.port}/")
                answered.set()
        finally:
            answered.set()
    assert outcome.succeeded
    assert asked.count("slow.test") == 1
    assert PLACES[Lane.DELIVERIES] < webhook_sender.DNS_THREADS


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_is_not_followed_and_is_no_success(status: int):
    def redirect(received) -> bytes:
        return (
            f"HTTP/1.1 {status} x\r\nlocation: http://127.0.0.1:{port}/elsewhere\r\n"
            "content-length: 0\r\n\r\n"
        ).encode()

    async with receiving() as receiver:
        port = receiver.port
        receiver.answer = redirect
        outcome = await post(WebhookSender(private_hosts=frozenset({"127.0.0.1"})), receiver.url)
    assert outcome == webhook_sender.Outcome(status, "refused")
    assert [post.path for post in receiver.received] == ["/hook"]


async def test_a_receiver_that_does_not_respond_in_time_has_timed_out(monkeypatch):
    monkeypatch.setattr(webhook_sender, "DEADLINE", 0.2)
    async with receiving(delay=1.0) as receiver:
        outcome = await post(WebhookSender(private_hosts=frozenset({"127.0.0.1"})), receiver.url)
    assert outcome == webhook_sender.Outcome(None, "timed_out")


async def test_a_slow_response_is_given_up_at_the_deadline(monkeypatch):
    monkeypatch.setattr(webhook_sender, "DEADLINE", 0.3)
    head = b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\nx"
    async with receiving(answer=lambda _: head) as receiver:
        outcome = await post(WebhookSender(private_hosts=frozenset({"127.0.0.1"})), receiver.url)
    assert outcome.problem == "timed_out"


async def test_only_the_start_of_an_endless_response_is_read():
    head = b"HTTP/1.1 200 OK\r\ncontent-length: 100000000000\r\n\r\n"
    async with asyncio.timeout(60), receiving(answer=lambda _: head, endless=True) as receiver:
        outcome = await post(WebhookSender(private_hosts=frozenset({"127.0.0.1"})), receiver.url)
    assert outcome.succeeded
    buffered = 16 * 1024 * 1024  # what both sockets can hold beyond what is read
    assert receiver.sent < webhook_sender.MAX_RESPONSE_BYTES + buffered


async def test_a_response_that_comes_byte_by_byte_is_given_up_at_the_deadline(monkeypatch):
    # no wait between two bytes is long enough for a timeout of its own
    monkeypatch.setattr(webhook_sender, "DEADLINE", 0.5)
    head = b"HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n"
    dripping: dict[str, Any] = {"endless": True, "piece": b"x", "pause": 0.02}
    async with asyncio.timeout(60), receiving(answer=lambda _: head, **dripping) as receiver:
        outcome = await post(WebhookSender(private_hosts=frozenset({"127.0.0.1"})), receiver.url)
    assert outcome.problem == "timed_out"


async def test_one_client_resolves_the_name_again_for_each_post():
    resolve, asked = resolver(["127.0.0.1"], ["10.0.0.1"])
    sender = WebhookSender(private_hosts=frozenset({"127.0.0.1"}), resolve=resolve)
    async with sender.connect("https://hooks.test/") as client:
        first = await client.post(MESSAGE, [SECRET], now=now())
        second = await client.post(MESSAGE, [SECRET], now=now())
    assert (first.problem, second.problem, len(asked)) == ("unreachable", "address_refused", 2)


async def test_a_compressed_response_is_not_decompressed():
    bomb = b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 3\r\n\r\nxyz"
    async with receiving(answer=lambda _: bomb) as receiver:
        outcome = await post(WebhookSender(private_hosts=frozenset({"127.0.0.1"})), receiver.url)
    assert outcome.succeeded


async def test_a_receiver_that_is_not_there_is_unreachable():
    async with receiving() as receiver:
        url = receiver.url
    outcome = await post(WebhookSender(private_hosts=frozenset({"127.0.0.1"})), url)
    assert outcome == webhook_sender.Outcome(None, "unreachable")


async def test_an_event_verifies_with_the_new_secret_and_with_the_old_one_after_a_rotation():
    async with receiving() as receiver:
        notifier = WebhookSender(private_hosts=frozenset({"127.0.0.1"}))
        assert (await post(notifier, receiver.url, SECRET, OLD)).succeeded
    (received,) = receiver.received
    for secret in (SECRET, OLD):
        assert Webhook(secret).verify(received.body, received.headers) == {"type": "client.new"}
    assert received.headers["webhook-id"] == "evt_1"


def certificate(folder: Path, *names: str) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """Return TLS contexts: a server's with a certificate for these names, and a client's that trusts it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test")])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(datetime.now(UTC) - timedelta(days=1))  # noqa: TID251  # OpenSSL's clock judges it
        .not_valid_after(datetime.now(UTC) + timedelta(days=1))  # noqa: TID251
        .add_extension(
            x509.SubjectAlternativeName([x509.DNSName(n) for n in names]), critical=False
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    (folder / "cert.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    (folder / "key.pem").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(folder / "cert.pem", folder / "key.pem")
    return server, ssl.create_default_context(cafile=str(folder / "cert.pem"))


async def test_the_certificate_must_match_the_name_although_the_connection_goes_to_the_address(
    tmp_path: Path,
):
    server, trusting = certificate(tmp_path, "hooks.test")
    resolve, _ = resolver(["127.0.0.1"])
    notifier = WebhookSender(private_hosts=frozenset({"hooks.test", "other.test"}), resolve=resolve)
    notifier._tls = trusting
    async with receiving(Receiver(), tls=server) as receiver:
        assert (await post(notifier, f"https://hooks.test:{receiver.port}/")).succeeded
        outcome = await post(notifier, f"https://other.test:{receiver.port}/")
    assert outcome.problem == "unreachable"
    assert len(receiver.received) == 1


def test_the_host_of_a_configured_ipv6_address_is_found():
    url = check_url("http://[::1]:9000/hook", frozenset({"::1"}))
    assert isinstance(url, httpx.URL)
