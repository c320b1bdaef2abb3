"""One contact, now and at an earlier time, and the history of its changes [S12]."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query, Response
from fastapi.responses import JSONResponse

from app.api import schemas
from app.api.account_access import AccountDep, SessionDep
from app.api.audience import AudienceDep
from app.api.deps import ContactId, ServicesDep
from app.api.pagination import ListDep, ListRequest, PageRows
from app.api.problems import problems
from app.api.schemas.base import Moment
from app.db.accounts.accounts import Account
from app.db.contacts import change_feed, contacts, documents, visible_contacts, visible_lines
from app.db.contacts.contacts import ContactNotFound
from app.db.mirror.audience import Audience
from app.db.session import Session
from app.errors import AppError
from app.sync.services import clio_web_origin

router = APIRouter(
    prefix="/v1/accounts/{account_id}",
    tags=["contacts"],
)


class ContactNotYetKnown(AppError):
    """The contact was first synced after the requested time."""

    status = 404
    code = "contact_not_yet_known"
    title = "This service did not have the contact yet at that time"
    next_step = "ask for a time since `first_synced_at`"


@router.get(
    "/contacts/{contact_id}",
    response_model=schemas.Contact,
    responses=problems(ContactNotFound, ContactNotYetKnown),
)
async def get_contact(
    contact_id: ContactId,
    account: AccountDep,
    audience: AudienceDep,
    services: ServicesDep,
    session: SessionDep,
    as_of: Annotated[
        Moment | None,
        Query(description="Return the contact as it was at this time (RFC 3339 with an offset)."),
    ] = None,
) -> schemas.Contact | Response:
    """Return one contact with all fields as Levitate should store them; use it to repair a damaged copy.

    With `as_of` the contact is returned as it was at that time.
    """
    account_id = account.account_id
    found = await visible_contacts.get_explained(session, account_id, contact_id, audience)
    if as_of is not None:
        return JSONResponse(await read_as_of(session, account_id, contact_id, audience, as_of))
    origin = clio_web_origin(services, account)
    return schemas.Contact.model_validate(
        documents.contact_document(found.contact, clio_origin=origin)
    )


async def read_as_of(
    session: Session, account_id: str, contact_id: str, audience: Audience, as_of: datetime
) -> dict[str, Any]:
    """Return the contact as it was at a time. Raises ContactNotYetKnown and ContactNotFound."""
    line = await change_feed.find_as_of(session, account_id, contact_id, as_of)
    if line is None:
        raise ContactNotYetKnown
    shown = await visible_lines.limit_lines(session, account_id, audience, [line])
    if not shown:  # the login has lost it just now
        raise ContactNotFound
    contact: dict[str, Any] = shown[0]["contact"]
    return contact


@router.get(
    "/contacts/{contact_id}/history",
    response_model=schemas.Page[schemas.Change],
    responses=problems(ContactNotFound),
)
async def get_contact_history(
    contact_id: ContactId,
    account: AccountDep,
    audience: AudienceDep,
    session: SessionDep,
    asked: ListDep,
) -> Response:
    """Return every change of one contact: the values before and after, the cause and the run. Their time is `at`."""
    rows = await read_history(contact_id, account, audience, session, asked)
    return JSONResponse(rows.page(rows.items).model_dump())


async def read_history(
    contact_id: str, account: Account, audience: Audience, session: Session, asked: ListRequest
) -> PageRows[dict[str, Any]]:
    """Return a page of the changes of one contact, as the audience may be shown them. Raises ContactNotFound."""
    account_id = account.account_id
    query = asked.by_number("history", account_id, contact_id)
    await contacts.get_explained(session, account_id, contact_id, audience)
    found = await change_feed.list_of_contact(session, account_id, contact_id, query.page)
    rows = query.rows(found, key=lambda line: line[0])
    # The lines are returned as they were stored when the change was made.
    lines = [{"seq": seq, **body} for seq, body in rows.items]
    shown = await visible_lines.limit_lines(session, account_id, audience, lines)
    return PageRows([dict(line) for line in shown], rows.next_cursor, rows.total)
