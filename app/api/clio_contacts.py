"""Clio's contacts, in Levitate or not: search what was pulled, and ask why a person is not in Levitate [CS-8]."""

from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query

from app.api import schemas
from app.api.account_access import AccountWithoutSession
from app.api.acting_user import RequireRole, RoleRequired
from app.api.audience import AudienceBeforehand
from app.api.audit_log import AuditLog, AuditLogDep
from app.api.authentication import CallerDep
from app.api.deps import NO_NUL, ServicesDep
from app.api.explanations import explained_parts
from app.api.pagination import PageDep
from app.api.problems import problems
from app.api.scopes import ScopeRequired
from app.db.accounts.accounts import Account
from app.db.accounts.audit import AuditAction
from app.db.accounts.service_tokens import Scope
from app.db.contacts import clio_contacts
from app.db.contacts.clio_contacts import ClioContact
from app.db.contacts.contacts import contact_id_of
from app.db.mirror.audience import Audience
from app.db.runs import run_requests
from app.db.runs.run_requests import RunRequest
from app.db.runs.runs import Kind, Trigger
from app.db.session import Session, transaction
from app.rules.profile import names
from app.sync import assess
from app.sync.assess import NotPulled
from app.sync.connections import IntegrationNotEnabled
from app.sync.services import Services

router = APIRouter(
    prefix="/v1/accounts/{account_id}/clio-contacts",
    tags=["contacts"],
)


ClioContactId = Annotated[
    str,
    Path(pattern=r"^[1-9][0-9]{0,17}$", description="Clio's id of the contact.", examples=["1001"]),
]


@dataclass(frozen=True)
class Reader:
    """A reader of Clio's contacts, with those whom the reader may be shown. Each read is audited."""

    account: Account
    audience: Audience
    log: AuditLog
    scope: Scope

    async def record(self, session: Session, operation: str, clio_id: int | None = None) -> None:
        """Add the read to the audit log, unless the audience has done so already."""
        if self.account.respects_visibility and self.audience.login is None:
            return
        subject = None if clio_id is None else contact_id_of(self.account.account_id, clio_id)
        await self.log.add(session, AuditAction("people.read", subject, {"operation": operation}))

    async def look(self, services: Services, clio_id: int) -> NotPulled:
        """Let the logins ask Clio for a contact, and return the error that names the run."""
        if not self.scope.includes(Scope.WRITE):
            raise ScopeRequired(
                "look=true starts a run, so that it needs a token of the scope write"
            )
        if not self.account.fields.enabled:
            raise IntegrationNotEnabled
        account_id = self.account.account_id
        request = RunRequest(Kind.CONTACT, Trigger.MANUAL, contact_clio_id=clio_id)
        async with transaction(services.database, account_id) as session:
            run = await run_requests.request_run(session, account_id, request, now=self.log.now)
            action = AuditAction("run.requested", run.run_id, {"kind": Kind.CONTACT})
            await self.log.add(session, action)
        return NotPulled(
            f"The run {run.run_id} asks Clio for this contact now, with each login. Wait for its end and repeat the"
            " request without look",
            headers={"Location": f"/v1/accounts/{account_id}/runs/{run.run_id}"},
            members={"run_id": run.run_id},
        )


async def get_reader(
    account: AccountWithoutSession,
    audience: AudienceBeforehand,
    log: AuditLogDep,
    caller: CallerDep,
) -> Reader:
    """Return who reads."""
    return Reader(account, audience, log, caller.scope)


ReaderDep = Annotated[Reader, Depends(get_reader)]


@router.get("", dependencies=[RequireRole], responses=problems(RoleRequired))
async def list_clio_contacts(
    reader: ReaderDep,
    services: ServicesDep,
    page: PageDep,
    q: Annotated[
        str | None,
        Query(
            max_length=200,
            pattern=NO_NUL,
            description="Only contacts who match this text, as in the list of contacts.",
        ),
    ] = None,
) -> schemas.Page[schemas.ClioContact]:
    """Search Clio's contacts that a login has shown, whether they are in Levitate or not, by Clio's id."""
    account_id = reader.account.account_id
    query = page.by_number("clio-contacts", account_id, q)
    async with transaction(services.database, account_id) as session:
        found = await clio_contacts.list_contacts(
            session, account_id, q, reader.audience, after=query.after, limit=query.fetch
        )
        await reader.record(session, "list_clio_contacts")
    rows = query.rows(found, key=lambda contact: contact.record.clio_id)
    return rows.page(schemas.ClioContact(**_parts(contact)) for contact in rows.items)


@router.get(
    "/{clio_id}",
    dependencies=[RequireRole],
    responses=problems(RoleRequired, NotPulled, IntegrationNotEnabled),
)
async def explain_clio_contact(
    clio_id: ClioContactId,
    reader: ReaderDep,
    services: ServicesDep,
    look: Annotated[
        bool,
        Query(description="If no login has shown the contact, let the logins ask Clio for it."),
    ] = False,
) -> schemas.ExplainedClioContact:
    """Explain why a contact of Clio is in Levitate or not, and what would bring it there.

    The rules decide again, by the records that were pulled and the present settings. With `look=true` a run asks Clio
    for a contact that no login has shown. The response is 404 then, too, and names the run.
    """
    account_id, number = reader.account.account_id, int(clio_id)
    try:
        async with transaction(services.database, account_id) as session:
            parts = await _explain(services, session, account_id, number, reader.audience)
            await reader.record(session, "explain_clio_contact", number)
    except NotPulled as unknown:
        raise (await reader.look(services, number) if look else unknown) from None
    return schemas.ExplainedClioContact(**parts)


async def _explain(
    services: Services, session: Session, account_id: str, clio_id: int, audience: Audience
) -> dict[str, Any]:
    found = await assess.decide_clio_contact(services, session, account_id, clio_id, audience)
    (contact,) = await clio_contacts.load(session, account_id, audience, [clio_id])
    reasons = await explained_parts(session, account_id, audience, clio_id, found.assessment)
    needs = [
        schemas.NeededChange(
            setting=need.setting, clio=need.clio, detail=need.detail, alone=need.alone
        )
        for need in found.needs
    ]
    return {**_parts(contact), "decision": schemas.Decision(**reasons), "would_need": needs}


def _parts(contact: ClioContact) -> dict[str, Any]:
    record = contact.record
    parts = names(record) if record.is_person else (record.name,)
    return {
        "clio_id": str(record.clio_id),
        "name": " ".join(part for part in parts if part),
        "type": "person" if record.is_person else "company",
        "contact_id": contact.contact_id,
        "state": contact.state,
    }
