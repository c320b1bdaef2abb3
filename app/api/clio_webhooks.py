"""Clio's nudges: check who posts, make a run due, answer at once. What they say is never read as data."""

from typing import Annotated

from fastapi import APIRouter, Header, Request, Response

from app.api.deps import ServicesDep
from app.api.problems import problems
from app.sync.connections import HookUnknown, SignatureInvalid, receive_webhook

router = APIRouter(tags=["operations"])

CEILING = 64 * 1024  # Clio's posts are some hundred bytes

Secret = Annotated[str | None, Header()]


@router.post(
    "/hooks/clio/{token}",
    status_code=200,
    response_class=Response,
    responses=problems(HookUnknown, SignatureInvalid),
)
async def receive_nudge(
    token: str,
    request: Request,
    services: ServicesDep,
    x_hook_secret: Secret = None,
    x_hook_signature: Secret = None,
) -> Response:
    """Clio posts here when something changed: a verified nudge starts a run within a minute. Never answers 410."""
    body = await _body(request)
    await receive_webhook(
        services, token, body, handshake=x_hook_secret, signature=x_hook_signature
    )
    return Response(headers={"X-Hook-Secret": x_hook_secret} if x_hook_secret else None)


async def _body(request: Request) -> bytes:
    """The raw body; raises SignatureInvalid as soon as it is longer than anything that Clio posts."""
    whole = bytearray()
    async for chunk in request.stream():
        whole += chunk
        if len(whole) > CEILING:
            raise SignatureInvalid
    return bytes(whole)
