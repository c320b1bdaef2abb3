"""Changes of webhook endpoints, a test event for one, and the redelivery of the events of some time."""

from datetime import datetime

from fastapi import APIRouter, Response

from app.api import schemas
from app.api.acting_user import ActorDep
from app.api.authentication import CallerDep
from app.api.deps import EndpointId, ServicesDep
from app.api.problems import problems
from app.api.system_session import SystemSessionDep
from app.api.webhook_endpoints import (
    UrlRefused,
    endpoint_body,
    problem_text,
    refuse_url,
    visible_token,
)
from app.db.accounts import audit
from app.db.accounts.audit import AuditAction
from app.db.events import endpoints
from app.db.events.endpoints import EndpointNotFound
from app.sync import events
from app.sync.redeliveries import Redelivery, request_redelivery

router = APIRouter(prefix="/v1/webhook-endpoints/{endpoint_id}", tags=["events"])


@router.patch("", responses=problems(UrlRefused, EndpointNotFound))
async def patch_webhook_endpoint(
    endpoint_id: EndpointId,
    body: schemas.WebhookEndpointPatch,
    caller: CallerDep,
    actor: ActorDep,
    services: ServicesDep,
    session: SystemSessionDep,
) -> schemas.WebhookEndpoint:
    """Change the URL, the events or the description of a webhook endpoint. The secret stays.

    Events that wait are posted to the new URL. Other events are sent from now on.
    """
    await endpoints.get_endpoint(session, endpoint_id, token_id=visible_token(caller))
    if body.url is not None:
        refuse_url(body.url, services.notifier.private_hosts)
    now = services.now()
    changes = body.model_dump(exclude_none=True)
    if "events" in changes:
        changes["kinds"] = list(dict.fromkeys(changes.pop("events")))
    await endpoints.change_endpoint(session, endpoint_id, changes, now=now)
    action = AuditAction("endpoint.changed", endpoint_id, {"fields": sorted(changes)})
    await audit.record_of_service(session, actor, action, now=now)
    return endpoint_body(await endpoints.get_endpoint(session, endpoint_id, token_id=None))


@router.post("/test", responses=problems(EndpointNotFound))
async def send_test_event(
    endpoint_id: EndpointId, caller: CallerDep, actor: ActorDep, services: ServicesDep
) -> schemas.WebhookEndpointTest:
    """Post an event of type `ping` to a webhook endpoint now, and return what came back.

    It is signed like every event, also if the endpoint is disabled, and it is stored nowhere. Its `data` has
    `endpoint_id`. The response comes after 10 seconds at the latest. If it succeeds, a pause of the endpoint ends, and
    the events that wait are sent.
    """
    pinged = await events.ping(services, endpoint_id, token_id=visible_token(caller), actor=actor)
    problem = pinged.outcome.problem
    return schemas.WebhookEndpointTest(
        event_id=pinged.event_id,
        succeeded=pinged.outcome.succeeded,
        response_status=pinged.outcome.status,
        response_text=pinged.outcome.beginning,
        milliseconds=pinged.milliseconds,
        problem=schemas.CodeDetail(code=problem, detail=problem_text(problem)) if problem else None,
    )


@router.post(
    "/redeliver",
    status_code=202,
    response_class=Response,
    responses=problems(EndpointNotFound),
)
async def redeliver_deliveries(
    endpoint_id: EndpointId,
    body: schemas.RedeliveryIn,
    caller: CallerDep,
    actor: ActorDep,
    session: SystemSessionDep,
    services: ServicesDep,
) -> Response:
    """Send the events of some time to a webhook endpoint again, with the same ids.

    The deliveries become `pending`, the oldest first, some hundred at a time; `Location` lists them. What is pending
    already is sent in any case.
    """
    await endpoints.get_endpoint(session, endpoint_id, token_id=visible_token(caller))
    now: datetime = services.now()
    wanted = Redelivery.between(
        endpoint_id, body.since, body.until or now, body.status or "", now=now
    )
    await request_redelivery(session, wanted)
    action = AuditAction("deliveries.repeated", endpoint_id, {"status": body.status})
    await audit.record_of_service(session, actor, action, now=now)
    place = f"/v1/webhook-endpoints/{endpoint_id}/deliveries"
    return Response(status_code=202, headers={"Location": place})
