"""Creates and changes accounts, as a whole or in part."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Response
from pydantic import ValidationError

from app.api import schemas
from app.api.account_access import SessionDep, VisibleId
from app.api.acting_user import ActorDep, RequireRole, RoleRequired
from app.api.deps import ServicesDep
from app.api.preconditions import (
    IfMatch,
    MergePatchOnly,
    PreconditionRequired,
    UnsupportedMediaType,
    VersionConflict,
    check_match,
    invalid_patch,
    merge,
    merge_patch_body,
    require_match,
)
from app.api.problems import problems
from app.db.accounts import accounts, audit
from app.db.accounts.accounts import Account, AccountFields, AccountNotFound
from app.db.accounts.audit import Actor, AuditAction
from app.db.accounts.receipts import ErasureInProgress
from app.db.contacts import first_publications
from app.db.contacts.first_publications import FirstPublicationOpen
from app.db.cursors import query_digest
from app.db.runs import rederivations, runs, slots
from app.db.session import Session

router = APIRouter(prefix="/v1/accounts", tags=["accounts"])

Patch = Annotated[dict[str, Any], merge_patch_body({"time_zone": "America/Chicago"})]


@dataclass(frozen=True)
class AccountChange:
    """A change of an account by a caller."""

    session: Session
    account_id: str
    actor: Actor
    now: datetime

    async def lock(self, *, disables: bool) -> Account | None:
        """Lock the account until the transaction ends and return it, None if it is new.

        The runs of one that may be switched off are locked first, because their ends lock them in this order.
        """
        if disables:
            await runs.lock_unfinished(self.session, self.account_id)
        await accounts.lock_account(self.session, self.account_id)
        return await accounts.find_account(self.session, self.account_id)

    async def save(self, known: Account | None, body: schemas.AccountIn) -> Account:
        """Store the account that was locked, with all that follows from the change; return it as it is then."""
        session, account_id, now = self.session, self.account_id, self.now
        kept = known.fields.publish if known else first_publications.AUTOMATIC
        fields = AccountFields(**{**body.model_dump(), "publish": body.publish or kept})
        if fields.publish != kept and fields.publish == first_publications.AUTOMATIC:
            await first_publications.check_no_review(session, account_id)
        async with rederivations.after_change(session, account_id, now=now):
            before = await accounts.put_account(session, account_id, fields, now=now)
        action = _action(before.fields if before else None, fields)
        if action is not None:
            await audit.record(session, account_id, self.actor, action, now=now)
        if before is not None and before.fields.enabled and not fields.enabled:
            await runs.cancel_waiting(session, account_id, now=now)
            await slots.close_open(session, account_id, now=now)
        return await accounts.get_account(session, account_id)


async def begin_change(
    account_id: VisibleId, actor: ActorDep, services: ServicesDep, session: SessionDep
) -> AccountChange:
    """Return the change that the caller asks for."""
    return AccountChange(session, account_id, actor, services.now())


ChangeDep = Annotated[AccountChange, Depends(begin_change)]


@router.put(
    "/{account_id}",
    dependencies=[RequireRole],
    responses=problems(RoleRequired, ErasureInProgress, FirstPublicationOpen, VersionConflict),
)
async def put_account(
    body: schemas.AccountIn, change: ChangeDep, response: Response, if_match: IfMatch = None
) -> schemas.Account:
    """Create or change an account. Disabling it stops its scheduled runs and keeps its data.

    If the country or the primary user changes, all contacts are assessed again, without requests to Clio. `publish`
    cannot become `automatic` while the first publication is reviewed. With `If-Match` nothing is stored if the account
    has changed since you read it, or does not exist.
    """
    known = await change.lock(disables=not body.enabled)
    check_match(if_match, etag_of(known) if known else None)
    return account_with_etag(await change.save(known, body), response)


@router.patch(
    "/{account_id}",
    dependencies=[RequireRole],
    responses=problems(
        RoleRequired,
        FirstPublicationOpen,
        PreconditionRequired,
        VersionConflict,
        UnsupportedMediaType,
    ),
)
async def patch_account(
    change: ChangeDep,
    _: MergePatchOnly,
    patch: Patch,
    response: Response,
    if_match: IfMatch = None,
) -> schemas.Account:
    """Change some fields of an account; the others stay as they are. The effects are those of `PUT`."""
    known = await change.lock(disables="enabled" in patch)
    if known is None:
        raise AccountNotFound
    require_match(if_match, etag_of(known))
    return account_with_etag(await change.save(known, _patched(known, patch)), response)


def _patched(known: Account, patch: Mapping[str, Any]) -> schemas.AccountIn:
    """Return all fields of the account after a merge patch; raises InvalidRequest."""
    try:
        return schemas.AccountIn.model_validate(merge(asdict(known.fields), patch))
    except ValidationError as error:
        raise invalid_patch(error) from None


def account_body(account: Account) -> schemas.Account:
    """Return an account as the API shows it."""
    fields = account.fields
    clio = account.clio
    return schemas.Account(
        id=account.account_id,
        name=fields.name,
        time_zone=fields.time_zone,
        country=fields.country,
        primary_user_id=fields.primary_user_id,
        enabled=fields.enabled,
        publish=fields.publish,
        clio=clio
        and schemas.ClioFirm(region=clio.region, account_id=str(clio.account_id), name=clio.name),
        created_at=account.created_at,
        updated_at=account.updated_at,
    )


def account_with_etag(account: Account, response: Response) -> schemas.Account:
    """Return the account as the API shows it, and set the `ETag` of the response."""
    response.headers["ETag"] = etag_of(account)
    return account_body(account)


def etag_of(account: Account) -> str:
    """Return the `ETag` of the account: it differs when anything differs that the API shows of it."""
    shown = account_body(account).model_dump_json()
    return f'"{query_digest((shown,))}"'


def _action(before: AccountFields | None, after: AccountFields) -> AuditAction | None:
    """Return the audit action of a change, or None if nothing changed."""
    if before is None:
        return AuditAction("account.created")
    pointers = [f"/{name}" for name, old in asdict(before).items() if getattr(after, name) != old]
    return AuditAction("account.changed", details={"pointers": pointers}) if pointers else None
