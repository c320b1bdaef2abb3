"""Makes responses of templates of the console: what all of them may use, and their policy.

Templates escape what they insert. The policy allows scripts and connections of this service only, and nothing inline.
"""

from typing import Any

from fastapi import Request
from fastapi.responses import HTMLResponse

from app.console import times
from app.console.names import person_name
from app.pages.rendering import templates_of

_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self';"
    " form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_HEADERS = {"Content-Security-Policy": _POLICY, "Cross-Origin-Opener-Policy": "same-origin"}


def number(n: int) -> str:
    """Return a count with separators."""
    return f"{n:,}"


def plural(n: int, one: str, many: str = "") -> str:
    """Return the count with its noun: `1 person`, `1,284 people`."""
    return f"{n:,} {one if n == 1 else many or one + 's'}"


_templates = templates_of("app.console")
_templates.filters.update(
    number=number,
    plural=plural,
    person_name=person_name,
    duration=times.duration,
    time_left=times.time_left,
)


def render(template: str, **values: Any) -> str:
    """Return the text of a template."""
    return _templates.get_template(template).render(values)


def plain_page(template: str, *, status: int = 200, **values: Any) -> HTMLResponse:
    """Return a page of the console, or a fragment of one."""
    return HTMLResponse(render(template, **values), status_code=status, headers=_HEADERS)


def overview_of(request: Request) -> str | None:
    """Return the address of the overview for the session of a request, None without a session."""
    session = getattr(request.state, "console_session", None)
    return "/console/" if session is not None else None
