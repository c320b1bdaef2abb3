"""The account in a request's path, and the check that the caller may see it."""

from typing import Annotated

import structlog
from fastapi import Depends

from app.api.authentication import CallerDep
from app.api.deps import AccountId, ServicesDep
from app.db.accounts import accounts
from app.db.accounts.accounts import Account, AccountNotFound
from app.db.session import transaction


async def get_account(account_id: AccountId, caller: CallerDep, services: ServicesDep) -> Account:
    """Return the account of the path; raises AccountNotFound for an account that the token may not see, too."""
    if not caller.may_see(account_id):
        raise AccountNotFound
    structlog.contextvars.bind_contextvars(account_id=account_id)
    async with transaction(services.database, account_id) as session:
        return await accounts.get_account(session, account_id)


AccountDep = Annotated[Account, Depends(get_account)]
