"""Who keeps the relationship: the attorneys of the matter that was updated last, else whom the firm chose."""

from collections.abc import Iterable
from datetime import UTC, datetime

from app.rules.client import client_of, counted_matters
from app.rules.facts import ContactFacts, FirmFacts
from app.rules.records import Attorney, MatterRecord, MatterStatus
from app.rules.settings import OwnerFallback, OwnerSource, Settings
from app.rules.verdicts import Considered, Owner

RESPONSIBLE, ORIGINATING = OwnerSource.RESPONSIBLE_ATTORNEY, OwnerSource.ORIGINATING_ATTORNEY
_ROLES = {
    RESPONSIBLE: (RESPONSIBLE, ORIGINATING),
    ORIGINATING: (ORIGINATING, RESPONSIBLE),
}
_RANK = {status: rank for rank, status in enumerate(MatterStatus)}
_NEVER = datetime.min.replace(tzinfo=UTC)
NOT_REACHED = "not reached: a later matter decides"


def owner(facts: ContactFacts, firm: FirmFacts, settings: Settings) -> Owner:
    """The owner of a contact in scope, with every matter considered and its outcome [OW-1..10]."""
    if settings.ownership.source is OwnerSource.PRIMARY_USER:
        return _primary(firm, rule="primary_user")
    considered: list[Considered] = []
    matters = ordered(decisive_matters(facts))
    for place, matter in enumerate(matters):
        named = [
            (role, who)
            for role in _ROLES[settings.ownership.source]
            if (who := _named(matter, role))
        ]
        if not named:
            considered.append(_seen(matter, "names no attorney"))
            continue
        chosen = next(((role, who) for role, who in named if _user(who, firm)), None)
        outcome = _outcome(*chosen, firm) if chosen else _unmapped(named)
        considered.append(_seen(matter, outcome))
        considered += [_seen(later, NOT_REACHED) for later in matters[place + 1 :]]
        if chosen is not None:
            role, who = chosen
            return Owner(_user(who, firm), role.value, matter.clio_id, None, tuple(considered))
        return _fallback(firm, settings, f"attorney_not_mapped: {_called(named[0][1])}", considered)
    detail = "no_attorney_named" if matters else "no_visible_matter"
    return _fallback(firm, settings, detail, considered)


def decisive_matters(facts: ContactFacts) -> tuple[MatterRecord, ...]:
    """The matters that may decide: those that count as own; related ones only for who is no client [OW-10]."""
    if client_of(facts) is not None:
        return counted_matters(facts)
    return tuple(related.matter for related in facts.related_matters)


def ordered(matters: Iterable[MatterRecord]) -> list[MatterRecord]:
    """The latest update first; then open, pending, closed; then the higher id [OW-4]."""
    once = {matter.clio_id: matter for matter in matters}
    return sorted(
        once.values(),
        key=lambda matter: (matter.updated_at or _NEVER, -_RANK[matter.status], matter.clio_id),
        reverse=True,
    )


def _named(matter: MatterRecord, role: OwnerSource) -> Attorney | None:
    return matter.responsible if role is RESPONSIBLE else matter.originating


def _user(attorney: Attorney, firm: FirmFacts) -> str | None:
    """The active Levitate user whom a Clio user stands for, if any [OW-7, §15 row 5]."""
    user_id = firm.attorneys.get(attorney.clio_user_id)
    return user_id if user_id in firm.users else None


def _fallback(
    firm: FirmFacts, settings: Settings, detail: str, considered: list[Considered]
) -> Owner:
    """Whom the firm chose for contacts without a usable attorney [OW-8, C-3]."""
    if settings.ownership.fallback is OwnerFallback.UNASSIGNED:
        return Owner(None, "unassigned", None, detail, tuple(considered))
    return _primary(firm, rule="fallback", detail=detail, considered=considered)


def _primary(
    firm: FirmFacts, *, rule: str, detail: str | None = None, considered: Iterable[Considered] = ()
) -> Owner:
    """The primary user; nobody when there is none or it is not active [§15 row 5]."""
    if firm.primary_user_id in firm.users:
        return Owner(firm.primary_user_id, rule, None, detail, tuple(considered))
    return Owner(None, "unassigned", None, "primary_user_missing", tuple(considered))


def _seen(matter: MatterRecord, outcome: str) -> Considered:
    return Considered(matter.clio_id, matter.status, matter.updated_at, outcome)


def _outcome(role: OwnerSource, attorney: Attorney, firm: FirmFacts) -> str:
    return f"decides: {role.value.replace('_', ' ')} {_called(attorney)} is {_user(attorney, firm)}"


def _unmapped(named: list[tuple[OwnerSource, Attorney]]) -> str:
    return "; ".join(
        f"{role.value.replace('_', ' ')} {_called(who)} is not an active Levitate user"
        for role, who in named
    )


def _called(attorney: Attorney) -> str:
    return f"{attorney.name or 'Clio user'} ({attorney.clio_user_id})"
