"""New clients: list the new-client rows, and decide on those that are held."""

from dataclasses import replace
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query

from app.api import schemas
from app.api.account_access import AccountDep, SessionDep
from app.api.acting_user import ActorDep, RequireRole, RoleRequired
from app.api.audience import AudienceDep, WriterAudience
from app.api.deps import NO_NUL, NewClientId, ServicesDep
from app.api.pagination import ListDep
from app.api.problems import problems
from app.db.contacts import visible_new_clients
from app.db.contacts.new_clients import (
    NewClient,
    NewClientFilter,
    NewClientHeld,
    NewClientNotFound,
    NewClientNotHeld,
)
from app.sync import assess

router = APIRouter(
    prefix="/v1/accounts/{account_id}/new-clients",
    tags=["new clients"],
)


async def get_filter(
    status: Annotated[
        Literal["emitted", "held", "suppressed"] | None,
        Query(description="Only new clients with this status."),
    ] = None,
    origin: Annotated[
        Literal["initial_sync", "incremental", "visibility", "settings", "manual"] | None,
        Query(description="Only new clients that were recognised in this way."),
    ] = None,
    run_id: Annotated[
        str | None,
        Query(
            max_length=200,
            pattern=NO_NUL,
            description="Only new clients whom this run recognised: our id (`run_…`).",
        ),
    ] = None,
) -> NewClientFilter:
    """Return the filter of the list of new clients."""
    return NewClientFilter(status, origin, run_id)


@router.get("")
async def list_new_clients(
    account: AccountDep,
    audience: AudienceDep,
    session: SessionDep,
    asked: ListDep,
    wanted: Annotated[NewClientFilter, Depends(get_filter)],
) -> schemas.Page[schemas.NewClient]:
    """Return the new-client rows: one for each person, created when the person was first recognised as a client.

    Their time is `created_at`.
    """
    account_id = account.account_id
    others = replace(wanted, status=None)
    query = asked.by_time("new-clients", account_id, wanted.status, chosen=others)
    found = await visible_new_clients.list_new_clients(
        session, account_id, audience, wanted, query.page
    )
    rows = query.rows(found, key=lambda row: (row.created_at, row.new_client_id))
    return rows.page(map(new_client_body, rows.items))


@router.post(
    "/{new_client_id}/release",
    dependencies=[RequireRole],
    responses=problems(RoleRequired, NewClientNotFound, NewClientNotHeld),
)
async def release_new_client(
    new_client_id: NewClientId,
    account: AccountDep,
    actor: ActorDep,
    audience: WriterAudience,
    services: ServicesDep,
    session: SessionDep,
) -> schemas.NewClient:
    """Announce a new client that is held: the event `client.new` is sent now."""
    account_id, now = account.account_id, services.now()
    await visible_new_clients.check_seen(session, account_id, audience, new_client_id)
    await assess.release_new_client(session, account_id, new_client_id, actor, now=now)
    return new_client_body(
        await visible_new_clients.get_new_client(session, account_id, audience, new_client_id)
    )


@router.post(
    "/{new_client_id}/suppress",
    dependencies=[RequireRole],
    responses=problems(RoleRequired, NewClientNotFound, NewClientNotHeld),
)
async def suppress_new_client(
    new_client_id: NewClientId,
    account: AccountDep,
    actor: ActorDep,
    audience: WriterAudience,
    services: ServicesDep,
    session: SessionDep,
) -> schemas.NewClient:
    """Never announce a new client that is held. Its row is kept, so that no later run announces the person."""
    account_id, now = account.account_id, services.now()
    await visible_new_clients.check_seen(session, account_id, audience, new_client_id)
    await assess.suppress_new_client(session, account_id, new_client_id, actor, now=now)
    return new_client_body(
        await visible_new_clients.get_new_client(session, account_id, audience, new_client_id)
    )


@router.post(
    "/{new_client_id}/replay",
    dependencies=[RequireRole],
    responses=problems(RoleRequired, NewClientNotFound, NewClientHeld),
)
async def replay_new_client(
    new_client_id: NewClientId,
    account: AccountDep,
    actor: ActorDep,
    audience: WriterAudience,
    services: ServicesDep,
    session: SessionDep,
) -> schemas.NewClient:
    """Announce a new client once more. The event has a new id, so receivers do not treat it as a duplicate."""
    account_id, now = account.account_id, services.now()
    await visible_new_clients.check_seen(session, account_id, audience, new_client_id)
    await assess.replay_new_client(session, account_id, new_client_id, actor, now=now)
    return new_client_body(
        await visible_new_clients.get_new_client(session, account_id, audience, new_client_id)
    )


def new_client_body(row: NewClient) -> schemas.NewClient:
    """Return a new-client row as the API shows it."""
    return schemas.NewClient(
        id=row.new_client_id,
        contact_id=row.contact_id,
        clio_id=str(row.clio_id),
        status=row.status,
        held_for=row.held_for,
        origin=row.origin,
        basis=row.basis,
        client_since=row.client_since,
        has_open_matter=row.has_open_matter,
        possible_duplicate_of=row.possible_duplicate_of,
        merged_into=row.merged_into,
        run_id=row.run_id,
        created_at=row.created_at,
        emitted_at=row.emitted_at,
        event_ids=list(row.event_ids),
    )
