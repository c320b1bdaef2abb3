"""Dependencies that all endpoints share: the services, and ids in paths.

The other dependencies are next to what they check: `authentication`, `account_access`, `acting_user`, `pagination`
and `idempotency`.
"""

from typing import Annotated, Any

from fastapi import Depends, Path, Request
from pydantic import WithJsonSchema

from app.errors import DatabaseUnavailable
from app.sync.background import Background
from app.sync.services import Services

NO_NUL = r"^[^\x00]*$"  # PostgreSQL cannot store a NUL character


# A Clio id is a number for us and an opaque string for callers.
IN_THE_DOCUMENT = WithJsonSchema({"type": "string", "pattern": r"^[1-9]\d{0,18}$"})


def _resource_id(description: str) -> Any:
    return Path(max_length=64, pattern=NO_NUL, description=description)


ACCOUNT_ID = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$"
AccountId = Annotated[
    str,
    Path(
        description="Levitate's id of the account.",
        pattern=ACCOUNT_ID,
        examples=["hp"],
    ),
]
ConnectionId = Annotated[str, _resource_id("The id of the connection (`cnx_…`).")]
ConnectLinkId = Annotated[str, _resource_id("The id of the connect link (`lnk_…`).")]
RunId = Annotated[str, _resource_id("The id of the run (`run_…`).")]
ContactId = Annotated[str, _resource_id("Our id of the contact (`con_…`).")]
NewClientId = Annotated[str, _resource_id("The id of the new client (`ncl_…`).")]
ActivityId = Annotated[str, _resource_id("The id of the activity (`act_…`).")]
IssueId = Annotated[str, _resource_id("The id of the issue (`iss_…`).")]
HoldId = Annotated[str, _resource_id("The id of the hold (`hld_…`).")]
EndpointId = Annotated[str, _resource_id("The id of the webhook endpoint (`whe_…`).")]
ErasureId = Annotated[str, _resource_id("The id of the erasure (`era_…`).")]
DeliveryId = Annotated[str, _resource_id("The id of the delivery (`dlv_…`).")]


def get_services(request: Request) -> Services:
    """Return the services that `app.main` opened. Raises DatabaseUnavailable until the database was prepared."""
    background: Background = request.app.state.background
    if not background.prepared:
        raise DatabaseUnavailable
    services: Services = request.app.state.services
    return services


ServicesDep = Annotated[Services, Depends(get_services)]
