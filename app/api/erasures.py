"""Erasures: the receipt of an erased account or person."""

from fastapi import APIRouter

from app.api import schemas
from app.api.acting_user import RequireRole, RoleRequired
from app.api.authentication import CallerDep
from app.api.deps import ErasureId, ServicesDep
from app.api.problems import problems
from app.db.accounts.receipts import ErasureNotFound
from app.sync.account_erasure import describe_erasure

router = APIRouter(prefix="/v1/erasures", tags=["accounts"])


@router.get(
    "/{erasure_id}",
    dependencies=[RequireRole],
    responses=problems(RoleRequired, ErasureNotFound),
)
async def get_erasure(
    erasure_id: ErasureId, caller: CallerDep, services: ServicesDep
) -> schemas.Erasure:
    """Return an erasure and what is left of it to do. Receipts are kept for a year after the erasure has ended."""
    receipt, remaining = await describe_erasure(services, erasure_id, only=caller.account_ids)
    return schemas.Erasure(
        id=receipt.erasure_id,
        subject=schemas.ErasureSubject(kind=receipt.subject_kind, id=receipt.subject_id),
        status=receipt.status.value,
        requested_by=receipt.requested_by,
        requested_at=receipt.requested_at,
        finished_at=receipt.finished_at,
        remaining=[schemas.CodeDetail(code=each.code, detail=each.detail) for each in remaining],
    )


def erasure_url(erasure_id: str) -> str:
    """Return the path of an erasure, for the header `Location`."""
    return f"/v1/erasures/{erasure_id}"
