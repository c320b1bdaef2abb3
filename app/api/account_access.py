"""The account in a request's path: the check that the caller may see it, the request's transaction, and the account.

An endpoint with `SessionDep` gets all of it in one transaction. One that opens transactions itself, because it waits,
streams or calls Clio, asks for `AccountWithoutSession`.
"""

from collections.abc import AsyncIterator
from typing import Annotated

import structlog
from fastapi import Depends

from app.api.authentication import CallerDep
from app.api.deps import AccountId, ServicesDep
from app.db.accounts import accounts
from app.db.accounts.accounts import Account, AccountNotFound
from app.db.session import Session, transaction

log = structlog.get_logger(__name__)


async def get_visible_id(account_id: AccountId, caller: CallerDep) -> str:
    """Return the id in the path; raises AccountNotFound for an account that the token may not see, and logs it."""
    if not caller.may_see(account_id):
        log.warning("account_not_of_token", account_id=account_id, token_id=caller.token_id)
        raise AccountNotFound
    structlog.contextvars.bind_contextvars(account_id=account_id)
    return account_id


VisibleId = Annotated[str, Depends(get_visible_id)]


async def get_session(account_id: VisibleId, services: ServicesDep) -> AsyncIterator[Session]:
    """Yield one transaction of the account in the path, for the whole request.

    It is committed before the response is sent.
    """
    async with transaction(services.database, account_id) as session:
        yield session


SessionDep = Annotated[Session, Depends(get_session, scope="function")]


async def get_account(account_id: VisibleId, session: SessionDep) -> Account:
    """Return the account, read in the request's transaction; raises AccountNotFound."""
    return await accounts.get_account(session, account_id)


AccountDep = Annotated[Account, Depends(get_account)]


async def get_account_beforehand(account_id: VisibleId, services: ServicesDep) -> Account:
    """Return the account, read in a transaction that has ended; raises AccountNotFound."""
    async with transaction(services.database, account_id) as session:
        return await accounts.get_account(session, account_id)


AccountWithoutSession = Annotated[Account, Depends(get_account_beforehand)]
