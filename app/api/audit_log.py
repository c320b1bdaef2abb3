"""The audit log of the account in a request's path: who asks, and when, is known already."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from fastapi import Depends

from app.api.account_access import VisibleId
from app.api.acting_user import ActorDep
from app.api.deps import ServicesDep
from app.db.accounts import audit
from app.db.accounts.audit import Actor, AuditAction
from app.db.session import Session


@dataclass(frozen=True)
class AuditLog:
    """The audit log of an account for one request, with the actor and the time of what the request does."""

    account_id: str
    actor: Actor
    now: datetime

    async def add(self, session: Session, action: AuditAction) -> None:
        """Add an entry, in the transaction that does the action."""
        await audit.record(session, self.account_id, self.actor, action, now=self.now)


async def get_audit_log(account_id: VisibleId, actor: ActorDep, services: ServicesDep) -> AuditLog:
    """Return the audit log of the account in the path."""
    return AuditLog(account_id, actor, services.now())


AuditLogDep = Annotated[AuditLog, Depends(get_audit_log)]
