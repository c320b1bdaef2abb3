"""The signing secrets of webhook endpoints: sealed in the database, rotated with a day of overlap."""

from contextlib import suppress
from datetime import timedelta

from app.crypto import DecryptionFailed
from app.db.events import endpoints
from app.db.session import Session
from app.sync.services import Services

OLD_SECRET_LIFETIME = timedelta(days=1)  # after a rotation
MAX_OLD_SECRETS = 4  # kept if somebody rotates again and again


async def rotate_secret(
    session: Session, services: Services, endpoint_id: str, secret: str
) -> None:
    """Store a new secret for the endpoint; the secrets that are valid now stay valid for a day.

    Raises EndpointNotFound.
    """
    stored, now = await endpoints.get_secrets(session, endpoint_id, lock=True), services.now()
    known = _open_old_secrets(services, endpoint_id, stored)
    with suppress(DecryptionFailed):  # a rotation repairs an endpoint whose secret cannot be opened
        known = [_open(services, endpoint_id, endpoints.SECRET, stored.sealed), *known]
    old = " ".join(known[:MAX_OLD_SECRETS])
    await endpoints.store_rotated_secret(
        session,
        endpoint_id,
        sealed_secret=seal_secret(services, endpoint_id, secret),
        sealed_old_secret=_seal(services, endpoint_id, endpoints.OLD_SECRET, old),
        old_until=now + OLD_SECRET_LIFETIME,
        now=now,
    )


async def valid_secrets(session: Session, services: Services, endpoint_id: str) -> list[str]:
    """Return the valid secrets, the newest first. Raises DecryptionFailed if the newest cannot be opened."""
    stored = await endpoints.get_secrets(session, endpoint_id)
    newest = _open(services, endpoint_id, endpoints.SECRET, stored.sealed)
    return [newest, *_open_old_secrets(services, endpoint_id, stored)]


def seal_secret(services: Services, endpoint_id: str, secret: str) -> str:
    """Return the newest secret of an endpoint, sealed."""
    return _seal(services, endpoint_id, endpoints.SECRET, secret)


def _open_old_secrets(
    services: Services, endpoint_id: str, stored: endpoints.EndpointSecrets
) -> list[str]:
    """Return the older secrets that are still valid, the newest first."""
    if stored.sealed_old and stored.old_until and services.now() < stored.old_until:
        # Signing with the newest secret alone is better than not posting.
        with suppress(DecryptionFailed):
            return _open(services, endpoint_id, endpoints.OLD_SECRET, stored.sealed_old).split()
    return []


def _seal(services: Services, endpoint_id: str, column: str, secret: str) -> str:
    row = _seal_text(endpoint_id)
    return services.cipher.seal({"secret": secret}, row=row, column=column)


def _open(services: Services, endpoint_id: str, column: str, sealed: str) -> str:
    return services.cipher.open(sealed, row=_seal_text(endpoint_id), column=column)["secret"]


def _seal_text(endpoint_id: str) -> str:
    """Return the text that binds sealed secrets to their endpoint. Stored secrets contain it: do not change it."""
    return f"webhook_endpoints/{endpoint_id}"
