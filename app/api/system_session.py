"""The request's transaction for endpoints that are about no single account: the list of accounts, webhook endpoints.

What such an endpoint may show follows from the caller's token; its statements say so.
"""

from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import Depends

from app.api.deps import ServicesDep
from app.db.session import Session
from app.db.system import system_transaction


async def get_system_session(services: ServicesDep) -> AsyncIterator[Session]:
    """Yield one transaction over all accounts for the whole request. It is committed before the response is sent."""
    async with system_transaction(services.database) as session:
        yield session


SystemSessionDep = Annotated[Session, Depends(get_system_session, scope="function")]
