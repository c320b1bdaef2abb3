"""A decision about many new clients in one request."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Depends, Response

from app.api import idempotency, schemas
from app.api.account_access import AccountDep, SessionDep
from app.api.acting_user import ActorDep, RequireRole, RoleRequired
from app.api.audience import WriterAudience
from app.api.deps import ServicesDep
from app.api.idempotency import IdempotencyKey
from app.api.problems import problems
from app.db.accounts import audit
from app.db.accounts.audit import Actor, AuditAction
from app.db.accounts.idempotency import IdempotentRequest, SentAnswer
from app.db.contacts.holds import HoldStatus
from app.db.contacts.new_client_sets import NewClientFilter
from app.db.mirror.audience import Audience
from app.db.session import Session
from app.sync import assess
from app.sync.services import Services

router = APIRouter(
    prefix="/v1/accounts/{account_id}/new-clients",
    tags=["new clients"],
)

_ACTIONS = {"release": "new_clients.released", "suppress": "new_clients.suppressed"}
_STATUSES = {"release": HoldStatus.RELEASED, "suppress": HoldStatus.DISCARDED}


@dataclass(frozen=True)
class Decider:
    """Who decides about new clients of an account, and whom that may concern."""

    account_id: str
    actor: Actor
    audience: Audience
    services: Services


async def get_decider(
    account: AccountDep, actor: ActorDep, audience: WriterAudience, services: ServicesDep
) -> Decider:
    """Return who decides."""
    return Decider(account.account_id, actor, audience, services)


@router.post(
    "/decisions",
    dependencies=[RequireRole],
    response_model=schemas.DecidedNewClients,
    responses=problems(RoleRequired, *idempotency.ERRORS),
)
async def decide_new_clients(
    body: schemas.ManyNewClients,
    decider: Annotated[Decider, Depends(get_decider)],
    session: SessionDep,
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """Release or suppress many new clients that are held, by their ids or by a filter.

    The set is fixed now: who is found later is not decided by this. Up to 500 are decided at once, the others within a
    minute. Each is announced once at most, also if this service is stopped meanwhile. The same key and body get the
    same answer again, and 410 if somebody whom it names was erased since.
    """
    request = idempotency.identify(decider.account_id, "decide_new_clients", idempotency_key, body)
    return idempotency.response_of(await _decide_once(session, decider, request, body))


async def _decide_once(
    session: Session, decider: Decider, request: IdempotentRequest, body: schemas.ManyNewClients
) -> SentAnswer:
    decided = assess.Decided("", 0, 0)

    async def create() -> str:
        nonlocal decided
        decided = await _decide(session, decider, body)
        return decided.decision_id

    async def answer(_: str) -> SentAnswer:
        skipped = [
            schemas.SkippedNewClient(id=x.new_client_id, code=x.code) for x in decided.skipped
        ]
        sent = schemas.DecidedNewClients(
            done=decided.done,
            remaining=decided.remaining,
            skipped=skipped,
            has_more=decided.has_more,
        )
        return idempotency.sent_answer(200, sent, about=[one.id for one in skipped])

    now = decider.services.now()
    return await idempotency.answer_once(session, request, create, answer, now=now)


async def _decide(
    session: Session, decider: Decider, body: schemas.ManyNewClients
) -> assess.Decided:
    """Decide and write the audit log."""
    account_id, now = decider.account_id, decider.services.now()
    status, meant = _STATUSES[body.action], body.filter
    chosen: Sequence[str] | NewClientFilter = body.ids or ()
    if meant is not None:
        chosen = NewClientFilter(meant.origin, meant.run_id, meant.since, meant.until)
    by = decider.actor.user_id or ""
    decision = assess.ManyDecision(status, by, chosen, decider.audience)
    decided = await assess.decide_many(session, account_id, decision, now=now)
    details = {"new_clients": decided.done + decided.remaining, "skipped": len(decided.skipped)}
    action = AuditAction(_ACTIONS[body.action], decided.decision_id or None, details)
    await audit.record(session, account_id, decider.actor, action, now=now)
    return decided
