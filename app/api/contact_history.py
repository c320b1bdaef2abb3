"""One contact, now and at an earlier time, and the history of its changes [S12]."""

from typing import Annotated

from fastapi import APIRouter, Query, Response
from fastapi.responses import JSONResponse

from app.api import schemas
from app.api.account_access import AccountDep, SessionDep
from app.api.audience import AudienceDep
from app.api.deps import ContactId, ServicesDep
from app.api.pagination import ListDep
from app.api.problems import problems
from app.api.schemas.base import Moment
from app.db.contacts import change_feed, contacts, documents, visible_contacts, visible_lines
from app.db.contacts.contacts import ContactNotFound
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
        line = await change_feed.find_as_of(session, account_id, contact_id, as_of)
        if line is None:
            raise ContactNotYetKnown
        shown = await visible_lines.limit_lines(session, account_id, audience, [line])
        if not shown:  # the login has lost it just now
            raise ContactNotFound
        return JSONResponse(shown[0]["contact"])
    origin = clio_web_origin(services, account)
    return schemas.Contact.model_validate(
        documents.contact_document(found.contact, clio_origin=origin)
    )


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
    account_id = account.account_id
    query = asked.by_number("history", account_id, contact_id)
    await contacts.get_explained(session, account_id, contact_id, audience)
    found = await change_feed.list_of_contact(session, account_id, contact_id, query.page)
    rows = query.rows(found, key=lambda line: line[0])
    # The lines are returned as they were stored when the change was made.
    lines = [{"seq": seq, **body} for seq, body in rows.items]
    shown = await visible_lines.limit_lines(session, account_id, audience, lines)
    return JSONResponse(rows.page(shown).model_dump())
