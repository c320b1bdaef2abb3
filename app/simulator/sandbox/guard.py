"""Who may use the sandbox and the control endpoints: programs and the sandbox's own page.

They have no token, so a page of another site that a browser shows on the same machine must not reach them. Its requests
carry `Origin` or `Sec-Fetch-Site`, and if it made its own name point to this machine, that name in `Host`.
"""

from collections.abc import Awaitable, Callable
from ipaddress import ip_address

from fastapi import Request

from app.simulator.sandbox.problems import BodyTooLarge, ForeignRequest, WrongMediaType

MOST_BYTES = 16_384
READING = ("GET", "HEAD")


def only_from_here(listens_on: str) -> Callable[[Request], Awaitable[None]]:
    """Return a check of requests to a server that listens on this address or name; it raises ForeignRequest."""

    async def check(request: Request) -> None:
        host = request.url.hostname or ""
        if not (host in ("localhost", listens_on) or _is_address(host)):
            raise ForeignRequest(
                "The host in the address must be an IP address, localhost, or the one given with --host."
            )
        if request.method in READING:
            return
        site = request.headers.get("sec-fetch-site")
        origin = request.headers.get("origin")
        own = f"{request.url.scheme}://{request.headers.get('host', '')}"
        if site not in (None, "same-origin") or origin not in (None, own):
            raise ForeignRequest(
                "A browser sent this request from another page. Use the buttons of the sandbox's page, or a program."
            )

    return check


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


async def read_body(request: Request, media_type: str) -> bytes:
    """Return the body; raises WrongMediaType and BodyTooLarge.

    A page of another site cannot send JSON without asking first, which is never allowed here.
    """
    sent = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if sent != media_type:
        raise WrongMediaType(f"Send the header Content-Type: {media_type}.")
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > MOST_BYTES:
            raise BodyTooLarge(f"Send at most {MOST_BYTES} bytes.")
    return body
