"""Contacts: list them, why one is what it is, what the user had before us, and erasing one."""

from typing import Annotated, Literal

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, ConfigDict, Field

from app.api import cursors, new_clients, schemas
from app.api.deps import (
    NO_NUL,
    AccountDep,
    ActorDep,
    OurId,
    RequireRole,
    RoleRequired,
    ServicesDep,
    SessionDep,
)
from app.api.problems import problems
from app.db.accounts import audit
from app.db.accounts.audit import AuditAction
from app.db.contacts import contacts, documents, preexisting_tags
from app.db.contacts.contacts import ContactFilter, ContactNotFound, ExplainedContact
from app.db.contacts.new_clients import NewClient, find_new_client
from app.db.events import deliveries
from app.db.events.deliveries import Delivery
from app.rules.results import Owner, Tag
from app.sync.erasure import erase_contact
from app.sync.services import clio_web_origin

router = APIRouter(
    prefix="/v1/accounts/{account_id}",
    tags=["contacts"],
)

Word = Annotated[str, Field(max_length=200, pattern=NO_NUL)] | None


class ContactQuery(BaseModel):
    """Which contacts, and which page of them. `tag` ignores case and spaces; `q` looks in names and addresses."""

    model_config = ConfigDict(extra="forbid")

    state: Literal["in_scope", "out_of_scope", "deleted"] | None = None
    owner: Word = None
    tag: Word = None
    clio_id: Annotated[int, Field(ge=1, le=2**63 - 1)] | None = None
    q: Word = None
    cursor: Annotated[str, Field(max_length=512)] | None = None
    limit: Annotated[int, Field(ge=1, le=200)] = 50


@router.get("/contacts")
async def list_contacts(
    query: Annotated[ContactQuery, Query()],
    account: AccountDep,
    services: ServicesDep,
    session: SessionDep,
) -> schemas.Page[schemas.Contact]:
    """Contacts by id, of all states unless one is asked for."""
    wanted = ContactFilter(**query.model_dump(exclude={"cursor", "limit"}))
    asked, limit = ("contacts", account.account_id, wanted), query.limit
    after = cursors.after_id(query.cursor, *asked)
    found = await contacts.list_contacts(
        session, account.account_id, wanted, after=after, limit=limit + 1
    )
    page, more = found[:limit], len(found) > limit
    origin = clio_web_origin(services, account)
    return schemas.Page(
        data=[
            schemas.Contact.model_validate(documents.contact_document(contact, clio_origin=origin))
            for contact in page
        ],
        next_cursor=cursors.encode(page[-1].contact_id, *asked) if more else None,
        has_more=more,
    )


@router.get("/contacts/{contact_id}/explain", responses=problems(ContactNotFound))
async def explain_contact(
    contact_id: OurId, account: AccountDep, session: SessionDep
) -> schemas.Explained:
    """Why the contact is in or out, why it has each tag and this owner, who sees it in Clio."""
    found = await contacts.get_explained(session, account.account_id, contact_id)
    clio_id = found.contact.clio_id
    row = await find_new_client(session, account.account_id, clio_id)
    event_ids = row.event_ids if row else ()
    told = await deliveries.list_by_events(session, account.account_id, event_ids)
    seen_by = await contacts.list_viewers(session, account.account_id, clio_id)
    return _explained(found, row, told, seen_by)


@router.post("/contacts/{contact_id}/preexisting-tags", responses=problems(ContactNotFound))
async def tell_preexisting_tags(
    contact_id: OurId,
    body: schemas.PreexistingIn,
    account: AccountDep,
    actor: ActorDep,
    services: ServicesDep,
    session: SessionDep,
) -> schemas.Preexisting:
    """Say which labels the user had given before we granted them: they are never withdrawn. Answers all of them."""
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
    contact_id: OurId, account: AccountDep, actor: ActorDep, services: ServicesDep
) -> None:
    """Erase one person: profile, history, activities, announcement. Told as `contact.erased`; never synced again."""
    await erase_contact(services, account.account_id, contact_id, actor=actor)


def _explained(
    found: ExplainedContact, row: NewClient | None, told: list[Delivery], seen_by: list[str]
) -> schemas.Explained:
    assessment = found.assessment
    return schemas.Explained(
        contact_id=found.contact.contact_id,
        in_scope=assessment.scope.in_scope,
        scope=schemas.ExplainedScope(rule=assessment.scope.rule, detail=assessment.scope.detail),
        tags=[_tag(tag) for tag in assessment.tags],
        owner=_owner(assessment.owner) if assessment.owner else None,
        not_granted=[
            schemas.NotGranted(label=item.label, rule=item.rule, why=item.why)
            for item in assessment.not_granted
        ],
        new_client=new_clients.out(row) if row else None,
        new_client_waits=assessment.client_waits,
        new_client_deliveries=[
            schemas.NewClientDelivery(
                event_id=one.event_id,
                status=one.status,
                attempts=one.attempts,
                response_status=one.response_status,
                delivered_at=one.delivered_at,
            )
            for one in told
        ],
        seen_by=seen_by,
        run_id=found.run_id,
    )


def _tag(tag: Tag) -> schemas.ExplainedTag:
    grants = [
        schemas.Grant(
            rule=grant.rule,
            setting=grant.setting,
            field_id=None if grant.field_id is None else str(grant.field_id),
            matter_clio_ids=[str(i) for i in grant.matter_ids],
            detail=grant.because,
        )
        for grant in tag.grants
    ]
    return schemas.ExplainedTag(label=tag.label, category=tag.category, grants=grants)


def _owner(owner: Owner) -> schemas.ExplainedOwner:
    return schemas.ExplainedOwner(
        rule=owner.rule,
        matter_clio_id=None if owner.matter_id is None else str(owner.matter_id),
        considered=[
            schemas.ConsideredMatter(
                matter_clio_id=str(matter.matter_id),
                status=matter.status,
                updated_at=matter.updated_at,
                outcome=matter.outcome,
            )
            for matter in owner.considered
        ],
    )
