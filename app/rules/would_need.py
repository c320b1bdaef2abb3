"""What would bring a person into scope: other settings of the firm, or changes in Clio [CS-8].

Each possible change is tried with the rules themselves, so that the answer is right by construction.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from msgspec.structs import replace as changed

from app.rules.assess import assess
from app.rules.facts import ContactFacts, FirmFacts
from app.rules.profile import names
from app.rules.removed_contacts import NOT_VISIBLE, REMOVED
from app.rules.settings import Representatives, RestrictedMatters, Segment, Settings

Tried = tuple[ContactFacts, Settings]


@dataclass(frozen=True)
class Need:
    """One change: of the setting with a JSON pointer, or of something in Clio.

    If `alone` is false, it only helps together with the others of a result that are not enough alone.
    """

    detail: str
    setting: str | None = None
    clio: str | None = None
    alone: bool = True


@dataclass(frozen=True)
class _Step:
    need: Need
    take: Callable[[ContactFacts, Settings], Tried]


def would_need(facts: ContactFacts, firm: FirmFacts, settings: Settings) -> tuple[Need, ...]:
    """Return the changes that would bring a person into scope: of settings, and in Clio.

    Of each kind these are the changes that are enough alone; if none is, a set that is enough together and has nothing
    to spare. If no kind is enough, the set has both. The result is empty for a person in scope, and for a company:
    companies are never synced.
    """
    if _enters([], facts, firm, settings):
        return ()
    kinds = (_settings_steps(settings), _clio_steps(facts, settings))
    found = [_enough(steps, facts, firm, settings) for steps in kinds]
    if not any(found):
        found = [_enough([*kinds[0], *kinds[1]], facts, firm, settings)]
    return tuple(need for needs in found for need in needs)


def _enough(
    steps: Sequence[_Step], facts: ContactFacts, firm: FirmFacts, settings: Settings
) -> list[Need]:
    alone = [step.need for step in steps if _enters([step], facts, firm, settings)]
    if alone or not _enters(steps, facts, firm, settings):
        return alone
    for step in steps:
        fewer = [one for one in steps if one is not step]
        if _enters(fewer, facts, firm, settings):
            steps = fewer
    return [replace(step.need, alone=False) for step in steps]


def _enters(
    steps: Sequence[_Step], facts: ContactFacts, firm: FirmFacts, settings: Settings
) -> bool:
    """Return whether the person is in scope after these changes."""
    for step in steps:
        facts, settings = step.take(facts, settings)
    return assess(facts, firm, settings).scope.in_scope


def _settings_steps(settings: Settings) -> list[_Step]:
    scope = settings.scope
    wider: list[tuple[bool, str, Any, str]] = [
        (not scope.include_non_clients, "include_non_clients", True, "Include people who are not clients"),
        (not scope.include_related, "include_related", True, "Include people who are related to a matter"),
        (bool(scope.related_role_exclude), "related_role_exclude", (), "Do not exclude this role"),
        (scope.segment != Segment(), "segment", Segment(), "Change the tags of the segment, or clear it"),
        (scope.opt_out_field_id is not None, "opt_out_field_id", None, "Name no field for opting out"),
        (scope.primary_email_only, "primary_email_only", False, "Take all e-mail addresses"),
    ]  # fmt: skip
    steps = [_scope_step(name, value, detail) for helps, name, value, detail in wider if helps]
    if settings.tags.company_representatives is Representatives.NONE:
        steps.append(_REPRESENTATIVES)
    if settings.restricted_matters.withhold:
        steps.append(_NOT_WITHHELD)
    return steps


def _scope_step(name: str, value: Any, detail: str) -> _Step:
    def take(facts: ContactFacts, settings: Settings) -> Tried:
        return facts, replace(settings, scope=replace(settings.scope, **{name: value}))

    return _Step(Need(detail, setting=f"/scope/{name}"), take)


_REPRESENTATIVES = _Step(
    Need(
        "Let the people of client companies count as their representatives",
        setting="/tags/company_representatives",
    ),
    lambda facts, settings: (
        facts,
        replace(settings, tags=replace(settings.tags, company_representatives=Representatives.ALL)),
    ),
)
_NOT_WITHHELD = _Step(
    Need(
        "Do not withhold what comes from matters with limited permissions",
        setting="/restricted_matters/withhold",
    ),
    lambda facts, settings: (facts, replace(settings, restricted_matters=RestrictedMatters())),
)


def _clio_steps(facts: ContactFacts, settings: Settings) -> list[_Step]:
    steps = []
    if facts.departed is not None:
        detail, name = _RETURNS[facts.departed.reason]
        steps.append(_contact_step(name, detail, lambda found: changed(found, departed=None)))
    if not facts.contact.is_client:
        detail = "Mark this person as a client in Clio, or make the person the client of a matter"
        steps.append(_contact_step("client", detail, _as_client))
    if not names(facts.contact)[0] and not names(facts.contact)[1]:
        detail = "Add a name or an e-mail address in Clio"
        steps.append(_contact_step("name", detail, _with_name))
    if settings.scope.opt_out_field_id is not None:
        detail = "Untick the field for opting out in Clio"
        steps.append(_contact_step("opt_out", detail, _without_values))
    if facts.related_matters:
        detail = "Change the person's role in the matter in Clio, or end the relationship"
        steps.append(_contact_step("role", detail, _without_roles))
    return steps


_RETURNS = {
    REMOVED: ("Restore this contact in Clio", "contact"),
    NOT_VISIBLE: ("Connect a user who sees this contact in Clio", "visibility"),
}


def _contact_step(clio: str, detail: str, take: Callable[[ContactFacts], ContactFacts]) -> _Step:
    return _Step(Need(detail, clio=clio), lambda facts, settings: (take(facts), settings))


def _as_client(facts: ContactFacts) -> ContactFacts:
    return changed(facts, contact=changed(facts.contact, is_client=True))


def _with_name(facts: ContactFacts) -> ContactFacts:
    return changed(facts, contact=changed(facts.contact, last_name="Name"))


def _without_values(facts: ContactFacts) -> ContactFacts:
    return changed(facts, contact=changed(facts.contact, custom_values=()))


def _without_roles(facts: ContactFacts) -> ContactFacts:
    return changed(facts, related_matters=())
