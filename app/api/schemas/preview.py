"""Request and response bodies of the preview of settings."""

from typing import Any

from pydantic import BaseModel, ConfigDict

from app.api.schemas.base import In
from app.api.schemas.contacts import ContactChange


class PreviewIn(In):
    """Settings to preview: a JSON merge patch (RFC 7396) of the current settings."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"settings": {"scope": {"include_related": True}}}]},
    )

    settings: dict[str, Any]


class PreviewSummary(BaseModel):
    """Counts for the whole firm.

    Contacts that enter or leave the scope count in `tags_added` and `tags_removed`, but not in
    `contacts_with_tag_changes` and `owner_changes`.
    """

    entering: int
    leaving: int
    contacts_with_tag_changes: int
    tags_added: dict[str, int]
    tags_removed: dict[str, int]
    owner_changes: int
    new_clients: int


class PreviewedChange(ContactChange):
    """A change as the change feed would show it. It has no `seq` and no run yet."""

    seq: None = None
    run_id: None = None


class Preview(BaseModel):
    """The effect of the settings: counts for the whole firm, and one page of changes, ordered by contact."""

    summary: PreviewSummary
    data: list[PreviewedChange]
    next_cursor: str | None
    has_more: bool
