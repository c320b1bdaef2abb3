"""Forms of the console: the proof that this site sent one, and the key that carries it out once."""

import secrets

from fastapi import Request

from app.db.accounts.console_sessions import ConsoleSession
from app.errors import AppError
from app.pages.browsers import is_from_own_page
from app.sync.checked_tokens import form_token, is_form_token
from app.sync.services import Services

HIDDEN_FIELD = "form_token"
_PURPOSE = "console"


class FormRefused(AppError):
    """Another site sent the form, or it was made for another session."""

    status = 403
    code = "console_form_refused"
    title = "This form was made in another session, so nothing was changed"
    next_step = "go to the overview and do it again"


async def check_form(request: Request) -> None:
    """Raise FormRefused for a POST that a page of another site sent, or that has no token of this session (CSRF)."""
    if request.method != "POST":
        return
    if not is_from_own_page(request):
        raise FormRefused
    session: ConsoleSession | None = getattr(request.state, "console_session", None)
    form = await request.form(max_files=0, max_fields=1000)
    token = form.get(HIDDEN_FIELD)
    services: Services = request.app.state.services
    if session is None or not isinstance(token, str):
        raise FormRefused
    if not is_form_token(services, _PURPOSE, session.cookie_hash or "", token):
        raise FormRefused


def token_for(services: Services, session: ConsoleSession) -> str:
    """Return the token that each form of a session contains."""
    return form_token(services, _PURPOSE, session.cookie_hash or "")


def new_once() -> str:
    """Return a new idempotency key for a form, so that sending it twice does what it says once."""
    return secrets.token_urlsafe(16)
