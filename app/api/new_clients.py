"""The ledger of new clients: read it, and decide on what is held."""

from typing import Literal

from fastapi import APIRouter

from app.api import cursors, schemas
from app.api.deps import (
    AccountDep,
    ActorDep,
    Cursor,
    Limit,
    OurId,
    RequireRole,
    RoleRequired,
    ServicesDep,
    SessionDep,
)
from app.api.problems import problems
from app.db.contacts import new_clients
from app.db.contacts.new_clients import (
    NewClient,
    NewClientHeld,
    NewClientNotFound,
    NewClientNotHeld,
)
from app.sync import assess

router = APIRouter(
    prefix="/v1/accounts/{account_id}/new-clients",
    tags=["new clients"],
)


@router.get("")
async def list_new_clients(
    account: AccountDep,
    session: SessionDep,
    status: Literal["emitted", "held", "suppressed"] | None = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> schemas.Page[schemas.NewClient]:
    """The ledger: each person once, when first recognised as a client."""
    asked = ("new-clients", account.account_id, status)
    after = cursors.after_id(cursor, *asked)
    found = await new_clients.list_new_clients(
        session, account.account_id, status=status, after=after, limit=limit + 1
    )
    page, more = found[:limit], len(found) > limit
    return schemas.Page(
        data=[out(row) for row in page],
        next_cursor=cursors.encode(page[-1].new_client_id, *asked) if more else None,
        has_more=more,
    )


@router.post(
    "/{new_client_id}/release",
    dependencies=[RequireRole],
    responses=problems(RoleRequired, NewClientNotFound, NewClientNotHeld),
)
async def release_new_client(
    new_client_id: OurId,
    account: AccountDep,
    actor: ActorDep,
    services: ServicesDep,
    session: SessionDep,
) -> schemas.NewClient:
    """Announce one that is held: `client.new` is posted now."""
    now = services.now()
    await assess.release_new_client(session, account.account_id, new_client_id, actor, now=now)
    return out(await new_clients.lock_new_client(session, account.account_id, new_client_id))


@router.post(
    "/{new_client_id}/suppress",
    dependencies=[RequireRole],
    responses=problems(RoleRequired, NewClientNotFound, NewClientNotHeld),
)
async def suppress_new_client(
    new_client_id: OurId,
    account: AccountDep,
    actor: ActorDep,
    services: ServicesDep,
    session: SessionDep,
) -> schemas.NewClient:
    """Never announce one that is held. The row stays, so that nothing else announces it either."""
    now = services.now()
    await assess.suppress_new_client(session, account.account_id, new_client_id, actor, now=now)
    return out(await new_clients.lock_new_client(session, account.account_id, new_client_id))


@router.post(
    "/{new_client_id}/replay",
    dependencies=[RequireRole],
    responses=problems(RoleRequired, NewClientNotFound, NewClientHeld),
)
async def replay_new_client(
    new_client_id: OurId,
    account: AccountDep,
    actor: ActorDep,
    services: ServicesDep,
    session: SessionDep,
) -> schemas.NewClient:
    """Announce one again, deliberately: under a new event id, which no receiver takes for a repetition."""
    now = services.now()
    await assess.replay_new_client(session, account.account_id, new_client_id, actor, now=now)
    return out(await new_clients.lock_new_client(session, account.account_id, new_client_id))


def out(row: NewClient) -> schemas.NewClient:
    """A row as the contract writes it."""
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
