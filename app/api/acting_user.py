"""The Levitate user for whom a request is made, and the role it needs. Levitate's backend asserts both in headers."""

from enum import StrEnum
from typing import Annotated

from fastapi import Depends, Header

from app.api.authentication import CallerDep
from app.db.accounts.audit import Actor
from app.errors import AppError


class RoleRequired(AppError):
    """The acting user's role may not do this."""

    status = 403
    code = "role_required"
    title = "This operation needs Levitate-Role: success_manager or account_admin"


class Role(StrEnum):
    """The role of the acting user: a user of the firm, its administrator, or a Success Manager of Levitate."""

    USER = "user"
    ACCOUNT_ADMIN = "account_admin"
    SUCCESS_MANAGER = "success_manager"


RoleHeader = Annotated[
    Role,
    Header(
        alias="Levitate-Role",
        description="The role of the acting user: `user`, `account_admin` or `success_manager`. Without it: `user`.",
    ),
]
UserHeader = Annotated[
    str | None,
    Header(
        alias="Levitate-User",
        max_length=128,
        pattern=r"^[\w.@:-]+$",
        description="Levitate's id of the user for whom your backend acts. The audit log records it.",
    ),
]


async def require_role(role: RoleHeader = Role.USER) -> None:
    """Raise RoleRequired unless the acting user may change the account [EN-2]."""
    if role is Role.USER:
        raise RoleRequired


RequireRole = Depends(require_role)


async def get_actor(
    caller: CallerDep,
    role: RoleHeader = Role.USER,
    user_id: UserHeader = None,
) -> Actor:
    """Return the token, user and role that the audit log records."""
    return Actor(caller.token_id, user_id, role)


ActorDep = Annotated[Actor, Depends(get_actor)]
