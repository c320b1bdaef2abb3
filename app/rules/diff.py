"""What Levitate holds after an assessment, and how that differs from what it held."""

from dataclasses import fields, replace

from app.rules.departed import REMOVED
from app.rules.labels import fold_label
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

_STATE_FIELDS = ("state", "state_reason", "key_facts")


def view(before: ContactView | None, assessment: Assessment) -> ContactView | None:
    """What Levitate holds now; None for who never was in scope and is not.

    Who leaves keeps the last names and addresses, unrefreshed, and loses tags, owner and key facts [CS-8].
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
    )


def _owner_view(owner: Owner | None) -> OwnerView | None:
    return OwnerView(owner.user_id, owner.rule, owner.matter_id, owner.detail) if owner else None


def diff(
    before: ContactView | None, after: ContactView, borne: frozenset[str] = frozenset()
) -> Change | None:
    """The change from one view to the next; None when there is none. The very first is `contact.added`.

    A label in `borne`, folded, was the user's own before it was ours: it leaves the view, and is not withdrawn [TG-20].
    """
    if before == after:
        return None
    was = before or ContactView(after.state, None, Profile())
    labels, old_labels = _by_label(after), _by_label(was)
    return Change(
        kind=_kind(before, after),
        fields=_fields(was, after),
        tags_added=tuple(labels[key] for key in labels if key not in old_labels),
        tags_removed=tuple(old_labels[key] for key in old_labels if key not in {*labels, *borne}),
        owner=_owner_change(was.owner, after.owner),
    )


def _by_label(view: ContactView) -> dict[str, str]:
    """The labels by what makes them equal: a label that is only spelled anew is neither added nor removed [TG-21].

    Levitate ends automations when a tag goes, so a capital letter must not look like a withdrawal.
    """
    return {fold_label(tag.label): tag.label for tag in view.tags}


def _kind(before: ContactView | None, after: ContactView) -> ChangeKind:
    if before is None:
        return ChangeKind.ADDED
    if after.state is State.DELETED and before.state is not State.DELETED:
        return ChangeKind.DELETED
    if after.state is State.OUT_OF_SCOPE and before.state is not State.OUT_OF_SCOPE:
        return ChangeKind.OUT_OF_SCOPE
    return ChangeKind.UPDATED


def _fields(was: ContactView, after: ContactView) -> dict[str, tuple[object, object]]:
    pairs = {name: (getattr(was, name), getattr(after, name)) for name in _STATE_FIELDS}
    pairs |= {
        field.name: (getattr(was.profile, field.name), getattr(after.profile, field.name))
        for field in fields(Profile)
    }
    return {name: (old, new) for name, (old, new) in pairs.items() if old != new}


def _owner_change(old: OwnerView | None, new: OwnerView | None) -> OwnerChange | None:
    """The owner's change, also when only the reason for the same owner is another one."""
    if old == new:
        return None
    return OwnerChange(
        before=old.user_id if old else None,
        after=new.user_id if new else None,
        rule=new.rule if new else None,
        matter_id=new.matter_id if new else None,
    )
