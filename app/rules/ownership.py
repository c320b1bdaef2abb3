"""The ownership rules: the owner is an attorney of the matter updated last, or else whom the firm chose."""

from collections.abc import Iterator

from app.rules.facts import FirmFacts
from app.rules.records import Attorney, MatterRecord
from app.rules.results import Considered, NotGranted, Owner, Refusal
from app.rules.settings import OwnerFallback, OwnerSource
from app.rules.subject import Subject, newest_first
from app.rules.texts import shown

NamedAttorney = tuple[OwnerSource, Attorney]

RESPONSIBLE, ORIGINATING = OwnerSource.RESPONSIBLE_ATTORNEY, OwnerSource.ORIGINATING_ATTORNEY
ROLE_ORDER = {
    RESPONSIBLE: (RESPONSIBLE, ORIGINATING),
    ORIGINATING: (ORIGINATING, RESPONSIBLE),
    OwnerSource.PRIMARY_USER: (),
}
NO_ATTORNEY = "names no attorney"
NOT_REACHED = "not needed: an earlier matter in this list decides"


def owner(subject: Subject, previous: str | None = None) -> Owner:
    """Return the owner of a contact in scope, with every matter considered and its outcome [OW-1..11]."""
    found = _by_matters(subject)
    return _sticky_owner(subject, previous, found) or found


def unmapped_attorneys(subject: Subject) -> tuple[NotGranted, ...]:
    """Return the attorneys of the deciding matter who cannot be the owner: they are no active Levitate users [OW-7]."""
    deciding = _deciding(subject, decisive_matters(subject))
    if deciding is None:
        return ()
    named = _named_attorneys(subject, deciding)
    usable = next(
        (place for place, (_, who) in enumerate(named) if _active_user(who, subject.firm)), None
    )
    why = f"is an attorney of {_matter_name(deciding)}, but is not an active Levitate user"
    return tuple(
        NotGranted(
            shown(who.name) or _attorney_name(who),
            role.value,
            f"{_attorney_name(who)} {why}",
            Refusal.ATTORNEY_NOT_MAPPED,
        )
        for role, who in named[:usable]
    )


def decisive_matters(subject: Subject) -> tuple[MatterRecord, ...]:
    """Return the matters that can decide, in order. Related matters count only for people who are not clients.

    [OW-4, OW-10, rows 2, 4]
    """
    chosen = subject.settings.ownership
    if subject.client is None:
        matters = tuple(link.matter for link in subject.related)
        return newest_first(matters, prefer_open=chosen.prefer_open)
    return (
        newest_first(subject.matters, prefer_open=True) if chosen.prefer_open else subject.matters
    )


def _by_matters(subject: Subject) -> Owner:
    firm = subject.firm
    if subject.settings.ownership.source is OwnerSource.PRIMARY_USER:
        return _primary(firm, rule="primary_user")
    matters = decisive_matters(subject)
    deciding = _deciding(subject, matters)
    considered = tuple(_considered(subject, matters, deciding))
    if deciding is None:
        detail = "no_attorney_named" if matters else "no_visible_matter"
        return _fallback(subject, detail, considered)
    named = _named_attorneys(subject, deciding)
    for role, who in named:
        user_id = _active_user(who, firm)
        if user_id is not None:
            return Owner(user_id, role.value, deciding.clio_id, None, considered)
    return _fallback(subject, f"attorney_not_mapped: {_attorney_name(named[0][1])}", considered)


def _deciding(subject: Subject, matters: tuple[MatterRecord, ...]) -> MatterRecord | None:
    """Return the first matter that names an attorney. Later matters are not asked [OW-6, C-4]."""
    for matter in matters:
        if _named_attorneys(subject, matter):
            return matter
    return None


def _named_attorneys(subject: Subject, matter: MatterRecord) -> list[NamedAttorney]:
    """Return the attorneys of a matter: the chosen role, then the other [OW-1, OW-2, OW-5]."""
    if matter.responsible is None and matter.originating is None:
        return []
    by_role = {RESPONSIBLE: matter.responsible, ORIGINATING: matter.originating}
    roles = ROLE_ORDER[subject.settings.ownership.source]
    return [(role, who) for role in roles if (who := by_role[role]) is not None]


def _active_user(attorney: Attorney, firm: FirmFacts) -> str | None:
    """Return the active Levitate user that a Clio user is mapped to, or None [OW-7, row 5]."""
    user_id = firm.attorneys.get(attorney.clio_user_id)
    return user_id if user_id in firm.users else None


def _sticky_owner(subject: Subject, previous: str | None, found: Owner) -> Owner | None:
    """Return the previous owner, if the firm keeps owners and an own matter still names them [OW-11, row 24]."""
    if not subject.settings.ownership.sticky or previous is None or previous == found.user_id:
        return None
    for matter in subject.matters:
        for role, who in _named_attorneys(subject, matter):
            if _active_user(who, subject.firm) == previous:
                detail = f"still the {_role_name(role)} of {_matter_name(matter)}"
                return Owner(previous, "sticky", matter.clio_id, detail, found.considered)
    return None


def _fallback(subject: Subject, detail: str, considered: tuple[Considered, ...]) -> Owner:
    """Return the owner that the firm chose for contacts without a usable attorney [OW-8, C-3]."""
    if subject.settings.ownership.fallback is OwnerFallback.UNASSIGNED:
        return Owner(None, "unassigned", None, detail, considered)
    return _primary(subject.firm, rule="fallback", detail=detail, considered=considered)


def _primary(
    firm: FirmFacts,
    *,
    rule: str,
    detail: str | None = None,
    considered: tuple[Considered, ...] = (),
) -> Owner:
    """Return the primary user [OW-3] as owner, or nobody if there is none or it is not active [row 5]."""
    if firm.primary_user_id in firm.users:
        return Owner(firm.primary_user_id, rule, None, detail, considered)
    return Owner(None, "unassigned", None, "primary_user_missing", considered)


def _considered(
    subject: Subject, matters: tuple[MatterRecord, ...], deciding: MatterRecord | None
) -> Iterator[Considered]:
    """Yield every matter in the order considered, with its outcome."""
    outcome = NO_ATTORNEY
    for matter in matters:
        text = _deciding_outcome(subject, matter) if matter is deciding else outcome
        yield Considered(matter.clio_id, matter.status, matter.updated_at, text)
        if matter is deciding:
            outcome = NOT_REACHED


def _deciding_outcome(subject: Subject, deciding: MatterRecord) -> str:
    """Return a sentence on the attorneys of the deciding matter, up to the one who is chosen."""
    parts = []
    for role, who in _named_attorneys(subject, deciding):
        user_id = _active_user(who, subject.firm)
        if user_id is not None:
            parts.append(f"{_role_name(role)} {_attorney_name(who)} is {user_id}: decides")
            break
        parts.append(f"{_role_name(role)} {_attorney_name(who)} is not an active Levitate user")
    return "; ".join(parts)


def _role_name(role: OwnerSource) -> str:
    return role.value.replace("_", " ")


def _attorney_name(attorney: Attorney) -> str:
    return f"{shown(attorney.name) or 'Clio user'} ({attorney.clio_user_id})"


def _matter_name(matter: MatterRecord) -> str:
    return matter.number or f"matter {matter.clio_id}"
