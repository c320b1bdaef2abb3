"""The REST API: thin, one endpoint, one call into sync or db. `router` holds all of it."""

from fastapi import APIRouter

from app.api import (
    accounts,
    audit,
    changes,
    contacts,
    endpoints,
    health,
    history,
    issues,
    new_clients,
    oauth,
    reports,
    runs,
    settings,
    webhooks,
)

router = APIRouter()
for part in (
    accounts,
    oauth,
    settings,
    runs,
    reports,
    contacts,
    history,
    new_clients,
    changes,
    issues,
    audit,
    endpoints,
    webhooks,
    health,
):
    router.include_router(part.router)
router.include_router(oauth.callback_router)
