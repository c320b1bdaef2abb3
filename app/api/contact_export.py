"""The export of one person: everything that is held, streamed as JSON, for a person who asks the firm for it."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Depends
from fastapi.responses import StreamingResponse

from app.api import schemas
from app.api.account_access import AccountWithoutSession
from app.api.acting_user import RequireRole, RoleRequired
from app.api.audience import AudienceBeforehand
from app.api.audit_log import AuditLog, AuditLogDep
from app.api.authentication import CallerDep, while_valid
from app.api.deps import ContactId, ServicesDep
from app.api.problems import problems
from app.db.accounts.audit import AuditAction
from app.db.contacts import contacts, documents, person_export
from app.db.contacts.contacts import ContactNotFound
from app.db.contacts.person_export import Person
from app.db.json_codec import json_text
from app.db.session import transaction
from app.sync.services import Services

router = APIRouter(prefix="/v1/accounts/{account_id}", tags=["contacts"])

BATCH_SIZE = 200  # rows read in one transaction


@dataclass(frozen=True)
class Asker:
    """A caller who asks for an export and may be shown everybody. The request is audited."""

    account_id: str
    log: AuditLog


async def get_asker(
    account: AccountWithoutSession, audience: AudienceBeforehand, log: AuditLogDep
) -> Asker:
    """Return the caller. Raises RoleRequired for an administrator who is shown some people only."""
    if audience.login is not None:
        raise RoleRequired(
            "This account shows each user only what the user sees in Clio, and an export has everything; a Success"
            " Manager can export it"
        )
    return Asker(account.account_id, log)


@router.get(
    "/contacts/{contact_id}/export",
    dependencies=[RequireRole],
    response_model=schemas.Export,
    responses=problems(RoleRequired, ContactNotFound),
)
async def export_contact(
    contact_id: ContactId,
    asker: Annotated[Asker, Depends(get_asker)],
    caller: CallerDep,
    services: ServicesDep,
) -> StreamingResponse:
    """Return everything that is held about one person, as the rows of each table. The export is audited."""
    account_id = asker.account_id
    async with transaction(services.database, account_id) as session:
        clio_id = await contacts.find_clio_id(session, account_id, contact_id)
        if clio_id is None:
            raise ContactNotFound
        await asker.log.add(session, AuditAction("contact.exported", contact_id))
    person = Person(account_id, contact_id, clio_id)
    parts = while_valid(services, caller, _document(services, person))
    return StreamingResponse(parts, media_type="application/json")


async def _document(services: Services, person: Person) -> AsyncIterator[str]:
    head = {
        "contact_id": person.contact_id,
        "clio_id": str(person.clio_id),
        "exported_at": documents.format_time(services.now()),
    }
    yield json_text(head)[:-1] + ',"held":{'
    for number, table in enumerate(person_export.TABLES):
        yield f'{"," if number else ""}"{table}":['
        comma = ""
        async for row in _rows(services, person, table):
            yield comma + json_text(row)
            comma = ","
        yield "]"
    yield "}}"


async def _rows(services: Services, person: Person, table: str) -> AsyncIterator[dict[str, Any]]:
    after = ""
    while True:
        async with transaction(services.database, person.account_id) as session:
            rows = await person_export.read_rows(
                session, person, table, after=after, limit=BATCH_SIZE
            )
        for _, row in rows:
            yield row
        if len(rows) < BATCH_SIZE:
            return
        after = rows[-1][0]
