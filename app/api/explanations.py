"""Explanations as the API shows them: the result of the rules, the new-client row, and who sees the person."""

from collections.abc import Sequence
from typing import Any

from app.api import new_clients, schemas
from app.db.contacts import contacts, kept_deliveries, visible_new_clients
from app.db.contacts.kept_deliveries import KeptDelivery
from app.db.events import deliveries
from app.db.events.deliveries import Delivery
from app.db.mirror.audience import Audience
from app.db.session import Session
from app.rules.results import Assessment, Owner, Tag


async def explained_parts(
    session: Session, account_id: str, audience: Audience, clio_id: int, assessment: Assessment
) -> dict[str, Any]:
    """Return the fields of an explanation, except for the ids of the contact and the run."""
    new_client = await visible_new_clients.find_new_client(session, account_id, audience, clio_id)
    event_ids = new_client.event_ids if new_client else ()
    attempts: Sequence[Delivery | KeptDelivery] = [
        *(await kept_deliveries.list_kept(session, account_id, clio_id) if new_client else ()),
        *await deliveries.list_by_events(session, account_id, event_ids),
    ]
    return {
        "in_scope": assessment.scope.in_scope,
        "scope": schemas.ExplainedScope(rule=assessment.scope.rule, detail=assessment.scope.detail),
        "tags": [_tag_body(tag) for tag in assessment.tags],
        "owner": _owner_body(assessment.owner) if assessment.owner else None,
        "not_granted": [
            schemas.NotGranted(label=item.label, rule=item.rule, why=item.why)
            for item in assessment.not_granted
        ],
        "new_client": new_clients.new_client_body(new_client) if new_client else None,
        "new_client_waits": assessment.client_waits,
        "new_client_deliveries": [_delivery_body(delivery) for delivery in attempts],
        "seen_by": await contacts.list_viewers(session, account_id, clio_id, audience),
    }


def _delivery_body(delivery: Delivery | KeptDelivery) -> schemas.NewClientDelivery:
    return schemas.NewClientDelivery(
        event_id=delivery.event_id,
        status=delivery.status,
        attempts=delivery.attempts,
        response_status=delivery.response_status,
        delivered_at=delivery.delivered_at,
    )


def _tag_body(tag: Tag) -> schemas.ExplainedTag:
    grants = [
        schemas.TagGrant(
            rule=grant.rule,
            setting=grant.setting,
            field_id=None if grant.field_id is None else str(grant.field_id),
            matter_clio_ids=[str(i) for i in grant.matter_ids],
            detail=grant.because,
        )
        for grant in tag.grants
    ]
    return schemas.ExplainedTag(label=tag.label, category=tag.category, grants=grants)


def _owner_body(owner: Owner) -> schemas.ExplainedOwner:
    return schemas.ExplainedOwner(
        rule=owner.rule,
        matter_clio_id=None if owner.matter_id is None else str(owner.matter_id),
        considered=[
            schemas.ConsideredMatter(
                matter_clio_id=str(matter.matter_id),
                status=matter.status,
                updated_at=matter.updated_at,
                outcome=matter.outcome,
            )
            for matter in owner.considered
        ],
    )
