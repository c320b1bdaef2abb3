"""The REST API: thin, one endpoint, one call into sync or db. `router` holds all of it."""

from fastapi import APIRouter

from app.api import (
    accounts,
    activities,
    audit,
    changes,
    clio_webhooks,
    connections,
    contact_history,
    contacts,
    health,
    issues,
    new_clients,
    run_reports,
    runs,
    settings,
    webhook_endpoints,
)

router = APIRouter()
for part in (
    accounts,
    connections,
    settings,
    runs,
    run_reports,
    contacts,
    contact_history,
    new_clients,
    changes,
    activities,
    issues,
    audit,
    webhook_endpoints,
    clio_webhooks,
    health,
):
    router.include_router(part.router)
router.include_router(connections.callback_router)
