"""Contacts: list them, and why one is what it is; the ledger of new clients."""

from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, ConfigDict, Field

from app.api import cursors, schemas
from app.api.deps import AccountDep, Cursor, InvalidToken, Limit, ServicesDep, SessionDep
from app.api.problems import problems
from app.db import contacts, feed
from app.db.accounts import AccountNotFound
from app.db.contacts import ContactNotFound, Explained, Wanted
from app.db.feed import NewClient
from app.rules.verdicts import Owner, Tag
from app.sync import web_origin

router = APIRouter(
    prefix="/v1/accounts/{account_id}",
    tags=["contacts"],
    responses=problems(InvalidToken, AccountNotFound),
)

ContactId = Annotated[str, Path(max_length=64)]
Word = Annotated[str, Field(max_length=200, pattern=r"^[^\x00]*$")] | None


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
    wanted = Wanted(**query.model_dump(exclude={"cursor", "limit"}))
    asked, limit = ("contacts", account.account_id, wanted), query.limit
    after = cursors.decode(query.cursor, *asked) if query.cursor else ""
    found = await contacts.list_contacts(
        session, account.account_id, wanted, after=after, limit=limit + 1
    )
    page, more = found[:limit], len(found) > limit
    origin = web_origin(services, account)
    return schemas.Page(
        data=[
            schemas.Contact.model_validate(contacts.document(contact, clio_origin=origin))
            for contact in page
        ],
        next_cursor=cursors.encode(page[-1].contact_id, *asked) if more else None,
        has_more=more,
    )


@router.get("/contacts/{contact_id}/explain", responses=problems(ContactNotFound))
async def explain_contact(
    contact_id: ContactId, account: AccountDep, session: SessionDep
) -> schemas.Explained:
    """Why the contact is in or out, why it has each tag and this owner, who sees it in Clio."""
    found = await contacts.get_explained(session, account.account_id, contact_id)
    clio_id = found.contact.clio_id
    row = await feed.find_new_client(session, account.account_id, clio_id)
    seen_by = await contacts.seen_by(session, account.account_id, clio_id)
    return _explained(found, row, seen_by)


@router.get("/new-clients")
async def list_new_clients(
    account: AccountDep,
    session: SessionDep,
    status: Literal["emitted", "held", "suppressed"] | None = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> schemas.Page[schemas.NewClient]:
    """The ledger: each person once, when first recognised as a client."""
    asked = ("new-clients", account.account_id, status)
    after = cursors.decode(cursor, *asked) if cursor else ""
    found = await feed.list_new_clients(
        session, account.account_id, status=status, after=after, limit=limit + 1
    )
    page, more = found[:limit], len(found) > limit
    return schemas.Page(
        data=[_new_client(row) for row in page],
        next_cursor=cursors.encode(page[-1].new_client_id, *asked) if more else None,
        has_more=more,
    )


def _explained(found: Explained, row: NewClient | None, seen_by: list[str]) -> schemas.Explained:
    assessment = found.assessment
    return schemas.Explained(
        contact_id=found.contact.contact_id,
        in_scope=assessment.scope.in_scope,
        scope=schemas.ExplainedScope(rule=assessment.scope.rule, detail=assessment.scope.detail),
        tags=[_tag(tag) for tag in assessment.tags],
        owner=_owner(assessment.owner) if assessment.owner else None,
        new_client=_new_client(row) if row else None,
        seen_by=seen_by,
        run_id=found.run_id,
    )


def _tag(tag: Tag) -> schemas.ExplainedTag:
    grants = [
        schemas.Grant(
            rule=grant.rule,
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


def _new_client(row: NewClient) -> schemas.NewClient:
    return schemas.NewClient(
        id=row.new_client_id,
        contact_id=row.contact_id,
        clio_id=str(row.clio_id),
        status=row.status,
        origin=row.origin,
        basis=row.basis,
        client_since=row.client_since,
        has_open_matter=row.has_open_matter,
        run_id=row.run_id,
        created_at=row.created_at,
    )
