"""Clio's webhooks: verify the sender and request a run. Their contents are never used as data."""

from typing import Annotated

from fastapi import APIRouter, Header, Path, Request, Response

from app.api.deps import ServicesDep
from app.api.problems import problems
from app.sync.connections import (
    HookUnknown,
    SignatureInvalid,
    TooManyLookups,
    find_address,
    receive_webhook,
)

router = APIRouter(tags=["operations"])

MAX_BODY_BYTES = 64 * 1024  # Clio sends some hundred bytes

Token = Annotated[str, Path(description="The secret part of the address that Clio was given.")]
SecretHeader = Annotated[
    str | None,
    Header(
        description="Clio's secret for the signatures. Clio sends it to confirm a new webhook; the response repeats it."
    ),
]
SignatureHeader = Annotated[
    str | None, Header(description="Clio's signature of the body: HMAC-SHA256 in hexadecimal.")
]


@router.post(
    "/hooks/clio/{token}",
    status_code=200,
    response_class=Response,
    responses=problems(HookUnknown, SignatureInvalid, TooManyLookups),
)
async def receive_nudge(
    token: Token,
    request: Request,
    services: ServicesDep,
    x_hook_secret: SecretHeader = None,
    x_hook_signature: SignatureHeader = None,
) -> Response:
    """Receive a webhook of Clio. A verified one starts a run within a minute. The status is never 410."""
    address = await find_address(services, token)
    body = await _read_body(request)
    await receive_webhook(
        services, address, body, handshake=x_hook_secret, signature=x_hook_signature
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
