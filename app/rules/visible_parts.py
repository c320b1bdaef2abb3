"""The parts of an assessment that one Clio login may be shown: nothing that it does not see in Clio [API-30, T10].

Nothing is decided again. A part is left out, or a sentence is replaced that could name what the login does not see.
"""

from collections.abc import Iterable, Iterator

from msgspec.structs import replace

from app.rules.ownership import NO_ATTORNEY, NOT_REACHED
from app.rules.records import Record
from app.rules.removed_contacts import NOT_VISIBLE, REMOVED
from app.rules.results import (
    Assessment,
    Basis,
    Category,
    Company,
    ContactView,
    Grant,
    KeyFact,
    NotGranted,
    Owner,
    OwnerView,
    Profile,
    Refusal,
    Scope,
    Tag,
    TagView,
)
from app.rules.scope import NO_NAME_OR_EMAIL
from app.rules.shown import CUSTOM_VALUE

NOT_SHOWN = "not_shown"  # the rule, where the reason is in records that the login does not see
REASON_NOT_SHOWN = (
    "The reason is not shown, because it may be in records that this user does not see in Clio"
)
OWN_REASONS = frozenset({"opt_out", NO_NAME_OR_EMAIL, REMOVED, NOT_VISIBLE})
_OWN_SCOPE_RULES = frozenset(
    {"company", "minimum_data", "opt_out_field_id", "include_non_clients", "gone"}
)
_OWN_REFUSALS = frozenset(  # of custom fields, which are in the contact's own record
    {Refusal.TOO_LONG, Refusal.UNPARSABLE, Refusal.DELETED, Refusal.NOT_USABLE, Refusal.LIMIT}
)


class Seen(Record, frozen=True):
    """What a login sees of a contact and of the records around it.

    `matters` and `contacts` are the Clio ids of those that it sees, of those that the assessment names. `fields` are
    the fields of the contact that Clio has shown it, None if that was not stored. `whole` says that it sees every
    matter of the contact and of its company, also those that the contact is only related to.
    """

    matters: frozenset[int] = frozenset()
    contacts: frozenset[int] = frozenset()
    fields: frozenset[str] | None = None
    whole: bool = False

    def shows(self, *fields: str) -> bool:
        """Return whether Clio has shown the login one of these fields of the contact."""
        return self.fields is None or not self.fields.isdisjoint(fields)

    @property
    def reads_custom_fields(self) -> bool:
        """Whether Clio has shown the login custom fields of the contact."""
        return self.fields is None or any(one.startswith(CUSTOM_VALUE) for one in self.fields)


def named_matters(assessment: Assessment) -> set[int]:
    """Return the Clio ids of all matters that an assessment gives as reasons."""
    found = {matter for tag in assessment.tags for one in tag.grants for matter in one.matter_ids}
    owner = assessment.owner
    if owner is not None:
        found.update(one.matter_id for one in owner.considered)
        found.update([owner.matter_id] if owner.matter_id is not None else [])
    return found


def visible_assessment(assessment: Assessment, seen: Seen) -> Assessment:
    """Return the parts of an assessment whose reasons the login sees: those of at least one matter that it sees."""
    company = assessment.profile.company
    sees_company = company is not None and company.clio_id in seen.contacts
    return replace(
        assessment,
        scope=_scope(assessment, seen),
        profile=visible_profile(assessment.profile, seen),
        tags=tuple(_tags(assessment.tags, seen, sees_company=sees_company)),
        owner=_owner(assessment.owner, seen) if assessment.owner else None,
        key_facts=visible_key_facts(assessment.key_facts, seen),
        client_waits=assessment.client_waits if seen.whole else None,
        not_granted=tuple(_not_granted(assessment.not_granted, seen)),
        merged_into=None,
    )


def visible_view(view: ContactView, visible: Assessment, seen: Seen) -> ContactView:
    """Return a contact as the login may be shown it; `visible` is the result of `visible_assessment`."""
    owner = visible.owner
    return replace(
        view,
        state_reason=visible_reason(view.state_reason, seen),
        profile=visible_profile(view.profile, seen),
        tags=tuple(TagView(tag.label, tag.category, tag.restricted) for tag in visible.tags),
        owner=OwnerView(owner.user_id, owner.rule, owner.matter_id, owner.detail)
        if owner
        else None,
        key_facts=visible_key_facts(view.key_facts, seen),
        merged_into=None,
    )


def visible_profile(profile: Profile, seen: Seen) -> Profile:
    """Return a profile without the fields that Clio has not shown the login."""
    return replace(
        profile,
        first_name=profile.first_name if seen.shows("first_name", "name") else None,
        middle_name=profile.middle_name if seen.shows("middle_name") else None,
        last_name=profile.last_name if seen.shows("last_name", "name") else None,
        prefix=profile.prefix if seen.shows("prefix") else None,
        title=profile.title if seen.shows("title") else None,
        company=_company(profile.company, seen) if profile.company else None,
        emails=profile.emails if seen.shows("emails") else (),
        phones=profile.phones if seen.shows("phones") else (),
        addresses=profile.addresses if seen.shows("addresses") else (),
    )


def visible_key_facts(facts: Iterable[KeyFact], seen: Seen) -> tuple[KeyFact, ...]:
    """Return the key facts that come from fields that Clio has shown the login."""
    return tuple(fact for fact in facts if is_visible_fact(fact.kind, fact.field_id, seen))


def is_visible_fact(kind: str, field_id: int | None, seen: Seen) -> bool:
    """Return whether a key fact comes from a field that Clio has shown the login."""
    if kind == "birthday":
        return seen.shows("date_of_birth")
    return field_id is None or seen.shows(f"{CUSTOM_VALUE}{field_id}")


def visible_reason(reason: str | None, seen: Seen) -> str | None:
    """Return why a contact is not in scope, None if that may follow from a matter that the login does not see."""
    return reason if reason in OWN_REASONS or seen.whole else None


def _company(company: Company, seen: Seen) -> Company | None:
    if company.clio_id in seen.contacts or seen.shows("company_name"):
        return company
    return Company(company.clio_id, None) if seen.shows("company_id") else None


def _scope(assessment: Assessment, seen: Seen) -> Scope:
    scope, client = assessment.scope, assessment.client
    by_flag = scope.rule == "clients" and client is not None and client.basis is Basis.FLAG
    if scope.rule == "gone":
        return replace(scope, detail=scope.detail.partition(". ")[0])  # names no other contact
    if seen.whole or scope.rule in _OWN_SCOPE_RULES or (by_flag and seen.shows("is_client")):
        return scope
    return Scope(scope.in_scope, NOT_SHOWN, REASON_NOT_SHOWN, visible_reason(scope.reason, seen))


def _tags(tags: Iterable[Tag], seen: Seen, *, sees_company: bool) -> Iterator[Tag]:
    for tag in tags:
        grants = tuple(
            _grant(grant, seen)
            for grant in tag.grants
            if _is_visible(grant, seen, sees_company=sees_company)
        )
        if grants:
            restricted = all(grant.restricted for grant in grants)
            yield Tag(tag.label, grants[0].category, grants, restricted)


def _is_visible(grant: Grant, seen: Seen, *, sees_company: bool) -> bool:
    """Return whether the login sees a record that is a reason for the label."""
    if grant.matter_ids:
        return not seen.matters.isdisjoint(grant.matter_ids)
    if grant.field_id is not None:
        return seen.shows(f"{CUSTOM_VALUE}{grant.field_id}")
    if grant.category is Category.LOCATION:
        return seen.shows("addresses")
    if grant.category is Category.DEFAULT or grant.rule == "personal":
        return True
    if grant.rule == "client" and grant.setting is None:
        return seen.shows("is_client")
    return sees_company  # it is marked as a client


def _grant(grant: Grant, seen: Seen) -> Grant:
    """Return a grant that names only matters that the login sees."""
    if seen.matters.issuperset(grant.matter_ids):
        return grant
    matters = tuple(matter for matter in grant.matter_ids if matter in seen.matters)
    because = f"By these matters in Clio: {', '.join(map(str, matters))}"
    return replace(grant, matter_ids=matters, because=because)


def _owner(owner: Owner, seen: Seen) -> Owner:
    """Return who owns a contact, and the reason if the login sees the matter that is the reason."""
    considered = tuple(one for one in owner.considered if one.matter_id in seen.matters)
    reasons = _reasons_of(owner)
    if reasons and seen.matters.isdisjoint(reasons):
        return Owner(owner.user_id, NOT_SHOWN, None, None, considered)
    return replace(owner, considered=considered)


def _reasons_of(owner: Owner) -> set[int]:
    """Return the matter that decided who owns a contact; if none named an attorney, all; if there is none, none."""
    if owner.matter_id is not None:
        return {owner.matter_id}
    undecided = (NO_ATTORNEY, NOT_REACHED)
    deciding = {one.matter_id for one in owner.considered if one.outcome not in undecided}
    return deciding or {one.matter_id for one in owner.considered}


def _not_granted(refused: Iterable[NotGranted], seen: Seen) -> Iterator[NotGranted]:
    """Yield the refusals that come from custom fields that the login can read; the others may name any matter."""
    for one in refused:
        if seen.reads_custom_fields if one.refusal in _OWN_REFUSALS else seen.whole:
            yield one
