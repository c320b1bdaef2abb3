"""The history of one contact: every change ever, and the contact as it was at a time [S12]."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query, Response
from fastapi.responses import JSONResponse

from app.api import cursors, schemas
from app.api.deps import AccountDep, Cursor, Limit, OurId, ServicesDep, SessionDep
from app.api.problems import problems
from app.api.schemas.base import Moment
from app.db.contacts import change_feed, contacts, documents
from app.db.contacts.contacts import ContactNotFound
from app.db.session import Session
from app.errors import AppError
from app.sync.services import clio_web_origin

router = APIRouter(
    prefix="/v1/accounts/{account_id}",
    tags=["contacts"],
)


class ContactNotYetKnown(AppError):
    """The contact came to Levitate later than that."""

    status = 404
    code = "contact_not_yet_known"
    title = "The contact had not been synced at that time; see first_synced_at"


@router.get(
    "/contacts/{contact_id}",
    response_model=schemas.Contact,
    responses=problems(ContactNotFound, ContactNotYetKnown),
)
async def get_contact(
    contact_id: OurId,
    account: AccountDep,
    services: ServicesDep,
    session: SessionDep,
    as_of: Annotated[Moment | None, Query(description="The contact as it was at this time")] = None,
) -> schemas.Contact | Response:
    """One contact, as Levitate should hold it: a locally damaged field can be repaired from here.

    With `as_of` as it was at that time.
    """
    found = await contacts.get_explained(session, account.account_id, contact_id)
    if as_of is not None:
        return await _as_of(session, account.account_id, contact_id, as_of)
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
    contact_id: OurId,
    account: AccountDep,
    session: SessionDep,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Response:
    """Every change of one contact, oldest first, with what was before and after, its cause and its run."""
    account_id = account.account_id
    asked = ("history", account_id, contact_id)
    after = cursors.after_number(cursor, *asked)
    await contacts.get_explained(session, account_id, contact_id)
    found = await change_feed.read_contact(
        session, account_id, contact_id, after=after, limit=limit + 1
    )
    page, more = found[:limit], len(found) > limit
    following = cursors.encode(page[-1][0], *asked) if more else None
    lines = [{"seq": seq, **body} for seq, body in page]  # as they were told then
    return JSONResponse({"data": lines, "next_cursor": following, "has_more": more})


async def _as_of(session: Session, account_id: str, contact_id: str, moment: datetime) -> Response:
    """The contact of the newest line at that time, as it was told then."""
    line = await change_feed.find_as_of(session, account_id, contact_id, moment)
    if line is None:
        raise ContactNotYetKnown
    return JSONResponse(line["contact"])
