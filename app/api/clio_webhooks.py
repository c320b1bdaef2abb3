"""Clio's webhooks: verify the sender and request a run. Their contents are never used as data."""

from typing import Annotated

from fastapi import APIRouter, Header, Request, Response

from app.api.deps import ServicesDep
from app.api.problems import problems
from app.sync.connections import HookUnknown, SignatureInvalid, receive_webhook

router = APIRouter(tags=["operations"])

MAX_BODY_BYTES = 64 * 1024  # Clio sends some hundred bytes

SecretHeader = Annotated[str | None, Header()]


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
    x_hook_secret: SecretHeader = None,
    x_hook_signature: SecretHeader = None,
) -> Response:
    """Receive a webhook of Clio. A verified one starts a run within a minute. The status is never 410."""
    body = await _read_body(request)
    await receive_webhook(
        services, token, body, handshake=x_hook_secret, signature=x_hook_signature
    )
    return Response(headers={"X-Hook-Secret": x_hook_secret} if x_hook_secret else None)


async def _read_body(request: Request) -> bytes:
    """Return the raw body; raises SignatureInvalid as soon as it is longer than `MAX_BODY_BYTES`."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY_BYTES:
            raise SignatureInvalid
    return bytes(body)
