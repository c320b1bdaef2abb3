"""Derive what Levitate holds after an assessment, and how it differs from before."""

from msgspec.structs import astuple, replace

from app.rules.removed_contacts import REMOVED
from app.rules.results import (
    Assessment,
    Change,
    ChangeKind,
    ContactView,
    Owner,
    OwnerChange,
    OwnerView,
    Profile,
    State,
    TagView,
)
from app.rules.texts import compared

_FIELDS = ("state", "state_reason", "key_facts", "merged_into", *Profile.__struct_fields__)


def view(
    before: ContactView | None, assessment: Assessment, merged_into: str | None = None
) -> ContactView | None:
    """Return what Levitate holds now, or None for a contact that is not and never was in scope.

    `merged_into` is our id of the contact that the assessment says it became.

    A contact that leaves the scope keeps its last profile, without further updates, and loses tags, owner and key facts
    [CS-8].
    """
    if assessment.scope.in_scope:
        return ContactView(
            state=State.IN_SCOPE,
            state_reason=None,
            profile=assessment.profile,
            tags=tuple(TagView(tag.label, tag.category, tag.restricted) for tag in assessment.tags),
            owner=_owner_view(assessment.owner),
            key_facts=assessment.key_facts,
        )
    if before is None:
        return None
    return replace(
        before,
        state=State.DELETED if assessment.scope.reason == REMOVED else State.OUT_OF_SCOPE,
        state_reason=assessment.scope.reason,
        tags=(),
        owner=None,
        key_facts=(),
        merged_into=merged_into,
    )


def _owner_view(owner: Owner | None) -> OwnerView | None:
    return OwnerView(owner.user_id, owner.rule, owner.matter_id, owner.detail) if owner else None


def diff(
    before: ContactView | None, after: ContactView, preexisting: frozenset[str] = frozenset()
) -> Change | None:
    """Return the change from one view to the next, or None if nothing changed. The first change is `contact.added`.

    `preexisting` are folded labels that users had set before this service granted them. They leave the view, but are
    not reported as removed [TG-20].
    """
    if before == after:
        return None
    previous = before or ContactView(after.state, None, Profile())
    labels, old_labels = _by_label(after), _by_label(previous)
    staying = preexisting.union(labels)
    return Change(
        kind=_kind(before, after),
        fields=_fields(previous, after),
        tags_added=tuple(labels[key] for key in labels if key not in old_labels),
        tags_removed=tuple(old_labels[key] for key in old_labels if key not in staying),
        owner=_owner_change(previous.owner, after.owner),
    )


def _by_label(view: ContactView) -> dict[str, str]:
    """Return the labels by their folded form, so that a new spelling is neither added nor removed [TG-21].

    Levitate ends automations when a tag is removed, so a change of case must not look like a removal.
    """
    return {compared(tag.label): tag.label for tag in view.tags}


def _kind(before: ContactView | None, after: ContactView) -> ChangeKind:
    if before is None:
        return ChangeKind.ADDED
    if after.state is State.DELETED and before.state is not State.DELETED:
        return ChangeKind.DELETED
    if after.state is State.OUT_OF_SCOPE and before.state is not State.OUT_OF_SCOPE:
        return ChangeKind.OUT_OF_SCOPE
    return ChangeKind.UPDATED


def _fields(before: ContactView, after: ContactView) -> dict[str, tuple[object, object]]:
    pairs = zip(_FIELDS, _values(before), _values(after), strict=True)
    return {name: (old, new) for name, old, new in pairs if old != new}


def _values(view: ContactView) -> tuple[object, ...]:
    """Return the values of `_FIELDS`."""
    return (
        view.state,
        view.state_reason,
        view.key_facts,
        view.merged_into,
        *astuple(view.profile),
    )


def _owner_change(old: OwnerView | None, new: OwnerView | None) -> OwnerChange | None:
    """Return the change of the owner; None if the owner is the same and only the reason changed."""
    before, after = old.user_id if old else None, new.user_id if new else None
    if before == after:
        return None
    return OwnerChange(
        before=before,
        after=after,
        rule=new.rule if new else None,
        matter_id=new.matter_id if new else None,
    )
