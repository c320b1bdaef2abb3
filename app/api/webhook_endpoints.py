"""Endpoints that manage webhook endpoints and their deliveries."""

import base64
import secrets
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query, Response

from app.api import schemas
from app.api.acting_user import ActorDep
from app.api.authentication import Caller, CallerDep
from app.api.deps import NO_NUL, DeliveryId, EndpointId, ServicesDep
from app.api.pagination import ListDep
from app.api.problems import problems
from app.api.system_session import SystemSessionDep
from app.db import issues
from app.db.accounts import audit
from app.db.accounts.audit import AuditAction
from app.db.events import deliveries, endpoints
from app.db.events.deliveries import DeliveryFilter, DeliveryNotFound, Status
from app.db.events.endpoints import Endpoint, EndpointNotFound, TooManyEndpoints
from app.db.events.events import EventKind
from app.errors import AppError, Problem
from app.sync import events
from app.webhook_sender import AddressRefused, check_url

router = APIRouter(prefix="/v1", tags=["events"])


_PROBLEMS = {
    "refused": "The receiver did not respond with a 2xx status; see its log. It is tried again",
    "timed_out": "The receiver did not respond within 10 seconds; let it respond before it works. It is tried again",
    "unreachable": (
        "The receiver could not be reached; check its address, its certificate and the network. It is"
        " tried again"
    ),
    "secret_unreadable": "The endpoint's secret cannot be decrypted. Rotate the secret",
    "address_refused": (
        "The address is not allowed: events go only to the public internet; add its host to"
        " LEVITATE_CLIO_WEBHOOK_HOSTS"
    ),
}


class UrlRefused(AppError):
    """The URL is not allowed for a webhook endpoint."""

    status = 422
    code = "url_not_allowed"
    title = "Events are sent only to https URLs on the public internet, on port 443"
    next_step = "choose such a URL, or add its host to LEVITATE_CLIO_WEBHOOK_HOSTS"


def refuse_url(url: str, private_hosts: frozenset[str]) -> None:
    """Raise UrlRefused for a URL to which events may not be posted."""
    try:
        check_url(url, private_hosts)
    except AddressRefused as error:
        raise UrlRefused(f"The address {error}; choose another one") from error


def problem_text(code: str) -> str:
    """Return what a problem of a post means, and what to do about it."""
    return _PROBLEMS[code]


def visible_token(caller: Caller) -> str | None:
    """Return the token whose endpoints the caller may see. None means all, for a caller that may see all accounts."""
    return None if caller.account_ids is None else caller.token_id


@router.post(
    "/webhook-endpoints", status_code=201, responses=problems(UrlRefused, TooManyEndpoints)
)
async def create_webhook_endpoint(
    body: schemas.WebhookEndpointIn,
    caller: CallerDep,
    actor: ActorDep,
    services: ServicesDep,
    session: SystemSessionDep,
    response: Response,
) -> schemas.WebhookEndpointWithSecret:
    """Add a webhook endpoint for events of this token's accounts.

    Use the secret to verify the signatures. It is shown only in this response.
    """
    refuse_url(body.url, services.notifier.private_hosts)
    now = services.now()
    endpoint_id, secret = endpoints.new_endpoint_id(now), _new_secret()
    endpoint = Endpoint(
        endpoint_id=endpoint_id,
        token_id=caller.token_id,
        url=body.url,
        kinds=tuple(dict.fromkeys(body.events)),
        description=body.description,
        enabled=True,
        problem=None,
        created_at=now,
        updated_at=now,
    )
    sealed = events.seal_secret(services, endpoint_id, secret)
    await endpoints.add_endpoint(session, endpoint, sealed_secret=sealed)
    action = AuditAction("endpoint.created", endpoint_id, {"events": list(endpoint.kinds)})
    await audit.record_of_service(session, actor, action, now=now)
    response.headers["Location"] = f"/v1/webhook-endpoints/{endpoint_id}"
    return schemas.WebhookEndpointWithSecret(**endpoint_body(endpoint).model_dump(), secret=secret)


@router.get("/webhook-endpoints")
async def list_webhook_endpoints(
    caller: CallerDep, session: SystemSessionDep, asked: ListDep
) -> schemas.Page[schemas.WebhookEndpoint]:
    """List the webhook endpoints of this token; a token for all accounts lists all. Their time is `created_at`."""
    query = asked.by_id("webhook-endpoints", caller.token_id)
    found = await endpoints.list_endpoints(session, query.page, token_id=visible_token(caller))
    rows = query.rows(found, key=lambda endpoint: endpoint.endpoint_id)
    return rows.page(map(endpoint_body, rows.items))


@router.get("/webhook-endpoints/{endpoint_id}", responses=problems(EndpointNotFound))
async def get_webhook_endpoint(
    endpoint_id: EndpointId, caller: CallerDep, session: SystemSessionDep
) -> schemas.WebhookEndpoint:
    """Return one webhook endpoint, with its problem if it has one."""
    return endpoint_body(
        await endpoints.get_endpoint(session, endpoint_id, token_id=visible_token(caller))
    )


@router.delete(
    "/webhook-endpoints/{endpoint_id}",
    status_code=204,
    response_class=Response,
    responses=problems(EndpointNotFound),
)
async def delete_webhook_endpoint(
    endpoint_id: EndpointId,
    caller: CallerDep,
    actor: ActorDep,
    services: ServicesDep,
    session: SystemSessionDep,
) -> None:
    """Delete a webhook endpoint. Events that were not delivered yet are dropped."""
    await endpoints.get_endpoint(session, endpoint_id, token_id=visible_token(caller))
    now = services.now()
    await endpoints.delete_endpoint(session, endpoint_id, now=now)
    action = AuditAction("endpoint.deleted", endpoint_id)
    await audit.record_of_service(session, actor, action, now=now)


@router.post("/webhook-endpoints/{endpoint_id}/rotate", responses=problems(EndpointNotFound))
async def rotate_webhook_secret(
    endpoint_id: EndpointId,
    caller: CallerDep,
    actor: ActorDep,
    services: ServicesDep,
    session: SystemSessionDep,
) -> schemas.WebhookEndpointWithSecret:
    """Create a new secret. It is shown only in this response.

    For one day, every event is signed with the old secret too. If the response is lost, rotate again: the secret that
    the receiver has stays valid for its day.
    """
    await endpoints.get_endpoint(session, endpoint_id, token_id=visible_token(caller))
    secret = _new_secret()
    await events.rotate_secret(session, services, endpoint_id, secret)
    action = AuditAction("endpoint.secret_rotated", endpoint_id)
    await audit.record_of_service(session, actor, action, now=services.now())
    endpoint = await endpoints.get_endpoint(session, endpoint_id, token_id=None)
    return schemas.WebhookEndpointWithSecret(**endpoint_body(endpoint).model_dump(), secret=secret)


@router.post("/webhook-endpoints/{endpoint_id}/enable", responses=problems(EndpointNotFound))
async def enable_webhook_endpoint(
    endpoint_id: EndpointId,
    caller: CallerDep,
    actor: ActorDep,
    services: ServicesDep,
    session: SystemSessionDep,
) -> schemas.WebhookEndpoint:
    """Enable a webhook endpoint again. Waiting events are delivered first, with the same ids."""
    await endpoints.get_endpoint(session, endpoint_id, token_id=visible_token(caller))
    now = services.now()
    await endpoints.enable_endpoint(session, endpoint_id, now=now)
    await issues.resolve_endpoint_issues(session, endpoint_id, now=now)
    action = AuditAction("endpoint.enabled", endpoint_id)
    await audit.record_of_service(session, actor, action, now=now)
    return endpoint_body(await endpoints.get_endpoint(session, endpoint_id, token_id=None))


async def get_filter(
    status: Annotated[
        Literal["pending", "delivered", "failed"] | None,
        Query(description="Only deliveries with this status."),
    ] = None,
    event_type: Annotated[
        EventKind | None,
        Query(
            alias="type",
            description="Only deliveries of events of this type, such as `client.new`.",
        ),
    ] = None,
    account_id: Annotated[
        str | None,
        Query(max_length=64, pattern=NO_NUL, description="Only deliveries of this account."),
    ] = None,
) -> DeliveryFilter:
    """Return the filter of the list of deliveries."""
    return DeliveryFilter(status, event_type, account_id)


@router.get("/webhook-endpoints/{endpoint_id}/deliveries", responses=problems(EndpointNotFound))
async def list_deliveries(
    endpoint_id: EndpointId,
    caller: CallerDep,
    session: SystemSessionDep,
    asked: ListDep,
    wanted: Annotated[DeliveryFilter, Depends(get_filter)],
) -> schemas.Page[schemas.Delivery]:
    """List the deliveries of the last 30 days to a webhook endpoint, with their status. Their time is `created_at`."""
    await endpoints.get_endpoint(session, endpoint_id, token_id=visible_token(caller))
    query = asked.by_id("deliveries", endpoint_id, chosen=wanted)
    found = await deliveries.list_deliveries(session, endpoint_id, wanted, query.page)
    rows = query.rows(found, key=lambda delivery: delivery.delivery_id)
    return rows.page(map(_delivery_body, rows.items))


@router.post(
    "/deliveries/{delivery_id}/redeliver", status_code=202, responses=problems(DeliveryNotFound)
)
async def redeliver_delivery(
    delivery_id: DeliveryId,
    caller: CallerDep,
    actor: ActorDep,
    services: ServicesDep,
    session: SystemSessionDep,
    response: Response,
) -> schemas.Delivery:
    """Send the event of a delivery again, with the same id. `Location` lists the deliveries of the endpoint."""
    delivery = await deliveries.get_delivery(session, delivery_id, token_id=visible_token(caller))
    now = services.now()
    await deliveries.redeliver(session, delivery, now=now)
    details = {"endpoint_id": delivery.endpoint_id, "event_id": delivery.event_id}
    action = AuditAction("delivery.repeated", delivery_id, details)
    await audit.record_of_service(session, actor, action, now=now)
    response.headers["Location"] = f"/v1/webhook-endpoints/{delivery.endpoint_id}/deliveries"
    again = await deliveries.get_delivery(session, delivery_id, token_id=None)
    return _delivery_body(again)


def _new_secret() -> str:
    return "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()


def endpoint_body(endpoint: Endpoint) -> schemas.WebhookEndpoint:
    """Return an endpoint as the API shows it."""
    return schemas.WebhookEndpoint(
        id=endpoint.endpoint_id,
        url=endpoint.url,
        events=list(endpoint.kinds),
        description=endpoint.description,
        status="enabled" if endpoint.enabled else "disabled",
        problem=endpoint.problem and _problem_body(endpoint.problem),
        paused_until=endpoint.paused_until,
        created_at=endpoint.created_at,
        updated_at=endpoint.updated_at,
    )


def _problem_body(problem: Problem) -> schemas.CodeDetail:
    return schemas.CodeDetail(code=problem.code, detail=problem.detail)


def _delivery_body(delivery: deliveries.Delivery) -> schemas.Delivery:
    code, is_pending = delivery.problem_code, delivery.status is Status.PENDING
    return schemas.Delivery(
        id=delivery.delivery_id,
        endpoint_id=delivery.endpoint_id,
        account_id=delivery.account_id,
        event_id=delivery.event_id,
        type=delivery.kind,
        status=delivery.status,
        attempts=delivery.attempts,
        response_status=delivery.response_status,
        problem=schemas.CodeDetail(code=code, detail=_PROBLEMS[code]) if code else None,
        created_at=delivery.created_at,
        last_attempt_at=delivery.last_attempt_at,
        next_attempt_at=delivery.due_at if is_pending else None,
        delivered_at=delivery.delivered_at,
    )
