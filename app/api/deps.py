"""Dependencies that all endpoints share: the services, the request's transaction, and ids in paths.

The other dependencies are next to what they check: `authentication`, `account_access`, `acting_user`, `pagination`
and `idempotency`.
"""

from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import Depends, Path, Request

from app.db.session import Session, transaction
from app.sync.services import Services

NO_NUL = r"^[^\x00]*$"  # PostgreSQL cannot store a NUL character
ResourceId = Annotated[str, Path(max_length=64, pattern=NO_NUL)]


def get_services(request: Request) -> Services:
    """Return the services that `app.main` opened."""
    services: Services = request.app.state.services
    return services


ServicesDep = Annotated[Services, Depends(get_services)]


async def get_session(services: ServicesDep) -> AsyncIterator[Session]:
    """Yield one transaction for the whole request. It is committed before the response is sent."""
    async with transaction(services.database) as session:
        yield session


SessionDep = Annotated[Session, Depends(get_session, scope="function")]
