"""The Levitate user for whom a request is made, and the role it needs. Levitate's backend asserts both in headers.

The audit log also records from which request and which address it came.
"""

import re
from enum import StrEnum
from ipaddress import ip_address
from typing import Annotated
from urllib.parse import unquote

from fastapi import Depends, Header, Request
from pydantic import TypeAdapter, ValidationError

from app.api import advice
from app.api.authentication import CallerDep
from app.api.schemas.base import UserId
from app.db.accounts.audit import Actor
from app.errors import AppError, InvalidRequest


class RoleRequired(AppError):
    """The acting user's role may not do this."""

    status = 403
    code = "role_required"
    title = "The role of the acting user does not allow this operation"
    next_step = "send Levitate-Role: success_manager or account_admin, if the user has that role"


class ActingUserInvalid(AppError):
    """The header cannot be decoded, so it names nobody."""

    status = 400
    code = "acting_user_invalid"
    title = "Levitate-User is not percent-encoded UTF-8"
    next_step = (
        "write % as %25, and what is not printable ASCII as its bytes, for example é as %C3%A9"
    )


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
HEADER = "Levitate-User"
UserHeader = Annotated[
    str | None,
    Header(
        alias=HEADER,
        description="Levitate's id of the user for whom your backend acts: 1 to 128 printable characters, as UTF-8."
        " Percent-encode `%`, every byte that is not printable ASCII, and a space at the beginning or the end."
        " The audit log records the id.",
    ),
]
# Printable ASCII; a percent sign only before two hexadecimal digits (RFC 3986 §2.1).
_ENCODED = re.compile(r"(?:[\x20-\x24\x26-\x7e]|%[0-9A-Fa-f]{2})*")
_USER_ID: TypeAdapter[str] = TypeAdapter(UserId)


async def require_role(_: CallerDep, role: RoleHeader = Role.USER) -> None:
    """Raise RoleRequired unless the acting user may change the account [EN-2]. The scope of the token comes first."""
    if role is Role.USER:
        raise RoleRequired


RequireRole = Depends(require_role)


async def get_actor(
    request: Request,
    caller: CallerDep,
    role: RoleHeader = Role.USER,
    user_id: UserHeader = None,
) -> Actor:
    """Return who asks, and from where, as the audit log records it."""
    return Actor(
        token_id=caller.token_id,
        user_id=None if user_id is None else decode_user_id(user_id),
        role=role,
        request_id=request.state.request_id,
        source_address=source_address(request),
    )


def source_address(request: Request) -> str | None:
    """Return the address from which the request came: the peer's, or that which a trusted proxy names.

    None for what is not an address.
    """
    host = request.client.host if request.client else ""
    try:
        return str(ip_address(host))
    except ValueError:
        return None


def decode_user_id(value: str) -> str:
    """Return the user id that `Levitate-User` contains.

    Raises ActingUserInvalid if it is not percent-encoded UTF-8, and InvalidRequest if what it contains is no user id.
    """
    if not _ENCODED.fullmatch(value):
        raise ActingUserInvalid
    try:
        return _USER_ID.validate_python(unquote(value, errors="strict"))
    except UnicodeDecodeError:
        raise ActingUserInvalid from None
    except ValidationError as error:
        message = advice.of(error.errors(include_url=False, include_input=False)[0])
        raise InvalidRequest(errors=[(f"header:{HEADER.lower()}", message)]) from None


ActorDep = Annotated[Actor, Depends(get_actor)]
