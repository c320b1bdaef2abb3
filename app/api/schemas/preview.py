"""Request and response bodies of the preview of settings."""

from typing import Any

from pydantic import ConfigDict

from app.api.schemas.base import Body, Schema
from app.api.schemas.changes import ContactChange


class PreviewIn(Body):
    """The settings to preview. They are not stored."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"settings": {"scope": {"include_related": True}}}]},
    )

    settings: dict[str, Any]
    """A JSON merge patch (RFC 7396) of the current settings. Null sets a part back to its default."""


class OwnerCount(Schema):
    """The number of contacts that a user owns; in a preview, would own."""

    user_id: str | None
    """Levitate's id of the user. Null for contacts without an owner."""

    n: int
    """The number of contacts in scope that the user owns or would own."""


class PreviewSummary(Schema):
    """The effect on the whole firm, as numbers of contacts."""

    entering: int
    """Contacts that would enter the scope, for the first time or again."""

    leaving: int
    """Contacts that would leave the scope."""

    contacts_with_tag_changes: int
    """Contacts that stay in scope and would get or lose a tag."""

    tags_added: dict[str, int]
    """For each label, how many contacts would get it, including contacts that enter."""

    tags_removed: dict[str, int]
    """For each label, how many contacts would lose it, including contacts that leave."""

    owner_changes: int
    """Contacts that stay in scope and would get another owner or none."""

    new_clients: int
    """People who would be recorded as new clients."""

    by_state_reason: dict[str, int]
    """For each `state_reason`, how many people in Clio would not be in scope because of it, also those who never were.
    Companies and deleted contacts are not counted."""

    by_owner: list[OwnerCount]
    """The owners of all contacts that would be in scope, the one with the most contacts first."""

    possible_duplicates: int
    """Those of `new_clients` whose primary email address another client has as well."""


class PreviewedChange(ContactChange):
    """A change as the change feed would show it."""

    seq: None = None
    """Always null: a preview adds nothing to the change feed."""

    run_id: None = None
    """Always null: no run made the change."""


class Preview(Schema):
    """The effect of the settings: numbers for the whole firm, and one page of changes, ordered by Clio's id."""

    summary: PreviewSummary
    """The effect on the whole firm. It is the same on every page."""

    data: list[PreviewedChange]
    """The changes of this page, one for each contact that would change."""

    next_cursor: str | None
    """The cursor to send as `cursor`, with the same body, for the next page. Null on the last page."""

    has_more: bool
    """Whether more changes follow this page."""
