"""The REST API: one module for each group of endpoints, `router` holds them all.

An endpoint makes one call into `app/sync/` or `app/db/` and builds the response; decisions and SQL do not belong here.
The request and response bodies are in `schemas`. Names of endpoint functions are operation ids and names of schema
classes are schema names of `/openapi.json`: both are part of the API and must not be renamed.
"""

from fastapi import APIRouter, Depends

from app.api import (
    account_changes,
    accounts,
    activities,
    audit,
    catalog,
    changes,
    clio_contacts,
    clio_webhooks,
    connect_links,
    connections,
    console_links,
    contact_counts,
    contact_export,
    contact_history,
    contacts,
    endpoint_tools,
    erasures,
    events,
    fleet,
    health,
    issues,
    new_client_decisions,
    new_clients,
    run_reports,
    runs,
    settings,
    webhook_endpoints,
)
from app.api.unknown_parameters import check_parameters

router = APIRouter()
for group in (
    fleet,
    account_changes,
    accounts,
    erasures,
    connections,
    connect_links,
    console_links,
    settings,
    catalog,
    runs,
    run_reports,
    contacts,
    contact_counts,
    contact_history,
    contact_export,
    clio_contacts,
    new_clients,
    new_client_decisions,
    changes,
    activities,
    issues,
    audit,
    events,
    webhook_endpoints,
    endpoint_tools,
    clio_webhooks,
    health,
):
    router.include_router(group.router, dependencies=[Depends(check_parameters)])
