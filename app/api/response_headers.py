"""The headers that every response has: they keep it out of caches, frames, scripts and the address of the next page.

A route may set its own Content-Security-Policy and Referrer-Policy, as pages do, and a public Cache-Control, as files
without personal data do.
"""

from types import MappingProxyType

from starlette.datastructures import MutableHeaders
from starlette.types import Message, Scope

_DEFAULTS = MappingProxyType(
    {
        "X-Content-Type-Options": "nosniff",
        "Content-Security-Policy": "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
        "Referrer-Policy": "no-referrer",
    }
)
NO_STORE = "no-store"
HSTS = "max-age=31536000; includeSubDomains"  # a year [ASVS 3.4.1]


def add_to_start(message: Message, scope: Scope) -> None:
    """Add the headers to the message that begins a response."""
    message.setdefault("headers", [])
    add_headers(MutableHeaders(raw=message["headers"]), scope)


def add_headers(headers: MutableHeaders, scope: Scope) -> None:
    """Add the headers. Only a `Cache-Control: public` of the route stays: any other response may be personal."""
    for name, value in _DEFAULTS.items():
        headers.setdefault(name, value)
    if not headers.get("Cache-Control", "").startswith("public"):
        headers["Cache-Control"] = NO_STORE
    if scope["app"].state.is_https:
        headers["Strict-Transport-Security"] = HSTS
