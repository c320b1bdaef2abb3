"""Contacts: list them, explain one, store labels it had before, and erase one."""

from datetime import UTC
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query, Response
from pydantic import Field

from app.api import schemas
from app.api.account_access import AccountDep, AccountWithoutSession, SessionDep
from app.api.acting_user import ActorDep, RequireRole, RoleRequired
from app.api.audience import AudienceDep, WriterAudience, WriterAudienceBeforehand
from app.api.deps import IN_THE_DOCUMENT, NO_NUL, ContactId, ServicesDep
from app.api.erasures import erasure_url
from app.api.explanations import explained_parts
from app.api.pagination import ListRequest, PageRows
from app.api.problems import problems
from app.api.schemas.base import Moment, Schema
from app.db.accounts import audit
from app.db.accounts.accounts import Account
from app.db.accounts.audit import AuditAction
from app.db.contacts import (
    contacts,
    documents,
    preexisting_tags,
    visible_contacts,
)
from app.db.contacts.contact_lists import ContactFilter
from app.db.contacts.contacts import ContactNotFound, StoredContact
from app.db.list_pages import Listed
from app.db.mirror.audience import Audience
from app.db.session import Session
from app.sync.contact_erasure import erase_contact
from app.sync.services import clio_web_origin

router = APIRouter(
    prefix="/v1/accounts/{account_id}",
    tags=["contacts"],
)

RequiredText = Annotated[str, Field(max_length=200, pattern=NO_NUL)]
FilterText = RequiredText | None
NO_OWNER = "none"


class ContactQuery(Schema):
    """The filters of the list of contacts, and its page."""

    state: Literal["in_scope", "out_of_scope", "deleted"] | None = None
    """Only contacts in this state."""

    owner: FilterText = None
    """Only contacts of this owner: Levitate's id of the user. `none`: only contacts without an owner."""

    tag: Annotated[list[RequiredText], Field(max_length=10)] = []
    """Only contacts with this tag. Case and extra spaces do not matter. If it is sent several times, a contact must
    have all of these tags."""

    clio_id: Annotated[int, Field(ge=1, le=2**63 - 1), IN_THE_DOCUMENT] | None = None
    """Only the contact with this id in Clio."""

    q: FilterText = None
    """Only contacts who have, for each word of this text, a word that begins with it: of the names, the company's name,
    an email address or its domain, or the digits of a phone number. Four digits or more also find the end of a number,
    and a whole number the id in Clio. Case does not matter. Of more than eight words the longest count."""

    updated_since: Moment | None = None
    """Only contacts whose last change is at this time or later."""

    problem: Literal["no_email", "duplicate", "quarantined"] | None = None
    """Only contacts with this problem. `no_email`: they have no email address. `duplicate`: when they became clients,
    they looked like another client. `quarantined`: Clio's record cannot be read, so what is shown may be older."""

    order: Literal["newest", "oldest"] | None = None
    """`newest` or `oldest` first, by `first_synced_at`. Without it the list is sorted by id."""

    since: Moment | None = None
    """Only contacts whose `first_synced_at` is this time or later."""

    until: Moment | None = None
    """Only contacts whose `first_synced_at` is before this time."""

    count: bool = False
    """Add `total`: how many items all pages of this list have together."""

    cursor: Annotated[str, Field(max_length=512)] | None = None
    """`next_cursor` of the previous page, with the same filters. Leave it out for the first page."""

    limit: Annotated[int, Field(ge=1, le=200)] = 50
    """The maximum number of items, 1 to 200."""


@router.get(
    "/contacts",
    response_class=Response,
    responses={200: {"model": schemas.Page[schemas.Contact], "description": "Successful Response"}},
)
async def list_contacts(
    query: Annotated[ContactQuery, Query()],
    account: AccountDep,
    audience: AudienceDep,
    services: ServicesDep,
    session: SessionDep,
) -> Response:
    """Return the contacts, in all states unless `state` is given, sorted by id unless `order` is given."""
    rows = await read_contacts(query, account, audience, session)
    origin = clio_web_origin(services, account)
    return rows.response(
        documents.contact_parts(contact, clio_origin=origin) for contact in rows.items
    )


async def read_contacts(
    query: ContactQuery, account: Account, audience: Audience, session: Session
) -> PageRows[StoredContact]:
    """Return the contacts of a page, as the audience may be shown them."""
    filters = _filter_of(query)
    asked = ListRequest(
        query.cursor, query.limit, query.order, query.since, query.until, query.count
    )
    part = asked.by_time("contacts", account.account_id, filters)
    of_list = (session, account.account_id, filters, audience, part.page)
    found = await visible_contacts.list_contacts(*of_list)
    total = await visible_contacts.count_contacts(*of_list) if query.count else None
    return part.rows(
        Listed(found, total), key=lambda contact: (contact.first_synced_at, contact.contact_id)
    )


@router.get("/contacts/{contact_id}/explain", responses=problems(ContactNotFound))
async def explain_contact(
    contact_id: ContactId, account: AccountDep, audience: AudienceDep, session: SessionDep
) -> schemas.Explained:
    """Explain why the contact is in or out of scope, why it has each tag and its owner, and who sees it in Clio."""
    account_id = account.account_id
    found = await visible_contacts.get_explained(session, account_id, contact_id, audience)
    contact = found.contact
    parts = await explained_parts(session, account_id, audience, contact.clio_id, found.assessment)
    return schemas.Explained(contact_id=contact.contact_id, run_id=found.run_id, **parts)


async def require_seen_contact(
    contact_id: ContactId, account: AccountDep, audience: WriterAudience, session: SessionDep
) -> None:
    """Raise ContactNotFound for a contact whom the audience of a change does not see."""
    if audience.login is not None:
        await contacts.lock_contact(session, account.account_id, contact_id, audience)


@router.post(
    "/contacts/{contact_id}/preexisting-tags",
    dependencies=[Depends(require_seen_contact)],
    responses=problems(ContactNotFound),
)
async def record_preexisting_tags(
    contact_id: ContactId,
    body: schemas.PreexistingIn,
    account: AccountDep,
    actor: ActorDep,
    services: ServicesDep,
    session: SessionDep,
) -> schemas.Preexisting:
    """Store the labels that the contact had before this service granted them. They are never removed.

    The response has all labels that are stored for the contact.
    """
    account_id, now = account.account_id, services.now()
    await contacts.lock_contact(session, account_id, contact_id)
    new = await preexisting_tags.add_labels(session, account_id, contact_id, body.labels, now=now)
    if new:
        action = AuditAction("tags.preexisting", contact_id, {"labels": new})
        await audit.record(session, account_id, actor, action, now=now)
    labels = await preexisting_tags.list_labels(session, account_id, contact_id)
    return schemas.Preexisting(contact_id=contact_id, labels=labels)


@router.delete(
    "/contacts/{contact_id}",
    status_code=204,
    response_class=Response,
    dependencies=[RequireRole],
    responses=problems(RoleRequired, ContactNotFound),
)
async def delete_contact(
    contact_id: ContactId,
    account: AccountWithoutSession,
    actor: ActorDep,
    audience: WriterAudienceBeforehand,
    services: ServicesDep,
    response: Response,
) -> None:
    """Erase one person: profile, history, activities and new-client row. The person is never synced again.

    The change feed gets one last line for the contact, `contact.erased`. The header `Location` has the address of the
    erasure's receipt.
    """
    erasure_id = await erase_contact(
        services, account.account_id, contact_id, audience, actor=actor
    )
    response.headers["Location"] = erasure_url(erasure_id)


def _filter_of(query: ContactQuery) -> ContactFilter:
    unowned = query.owner == NO_OWNER
    return ContactFilter(
        state=query.state,
        owner=None if unowned else query.owner,
        tag=query.tag[0] if query.tag else None,
        clio_id=query.clio_id,
        q=query.q,
        more_tags=tuple(query.tag[1:]),
        unowned=unowned,
        updated_since=query.updated_since and query.updated_since.astimezone(UTC),
        problem=query.problem,
    )
