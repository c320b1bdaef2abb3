"""Response bodies of the change feed and of a contact's history."""

from datetime import datetime
from typing import Any, Literal

from pydantic import ConfigDict, Field

from app.api.schemas.base import Schema
from app.api.schemas.contacts import Contact


class FieldChange(Schema):
    """The value of a field before and after a change."""

    model_config = ConfigDict(populate_by_name=True)

    before: Any = Field(alias="from")
    """The value before the change, in the form that it has in a contact. Null if there was none."""

    after: Any = Field(alias="to")
    """The value after the change. Null if there is none."""


class OwnerChange(Schema):
    """A change of the owner."""

    before: str | None = Field(alias="from")
    """Levitate's id of the previous owner. Null if there was none."""

    after: str | None = Field(alias="to")
    """Levitate's id of the new owner. Null if there is none."""

    rule: str | None
    """The rule that chose the new owner, as in `Owner.rule`. Null if the contact left the scope."""

    matter_clio_id: str | None
    """Clio's id of the matter that names the new owner. Null if no matter decided."""


class ContactChange(Schema):
    """A change of one contact."""

    kind: Literal[
        "contact.added",
        "contact.updated",
        "contact.out_of_scope",
        "contact.deleted",
        "contact.erased",
    ]
    """`contact.added`: first in scope, once for each contact. `contact.updated`: changed or in scope again.
    `contact.out_of_scope`: no longer in scope. `contact.deleted`: deleted in Clio. `contact.erased`: erased here;
    delete everything that you store about the person."""

    contact_id: str
    """Our id of the contact."""

    clio_id: str
    """Clio's id of the contact."""

    at: datetime
    """When the change was made here (RFC 3339, UTC)."""

    cause: Literal["sync", "settings", "users", "manual", "upgrade"]
    """`sync`: something changed in Clio. `settings`: the settings changed. `users`: users, attorneys or the account
    changed. `manual`: a person decided, by a hold or an erasure. `upgrade`: a new release has other rules."""

    fields: dict[str, FieldChange]
    """The fields that changed, by name: those of the profile, `state`, `state_reason`, `key_facts`, `merged_into`."""

    tags_added: list[str]
    """The labels of the tags to add."""

    tags_removed: list[str]
    """The labels of the tags to remove. Labels that the contact had before this service granted them are not listed."""

    owner: OwnerChange | None
    """The change of the owner. Null if the owner is the same, also if another rule or matter decides now."""

    contact: Contact | None
    """The contact after the change. Null when it was erased."""


class Change(ContactChange):
    """One entry of the change feed."""

    seq: int
    """The position in the account's change feed. It grows with each entry; numbers can be missing."""

    run_id: str | None
    """The id of the run that made the change. Null for an erasure, which needs no run."""


class ChangeFeedPage(Schema):
    """A page of the change feed, in order. Store `next_cursor` after each page and start the next request from it."""

    data: list[Change]
    """The changes after the cursor, oldest first. Empty if there are none."""

    next_cursor: str
    """The cursor to start the next request from. It is never null, also on an empty page."""

    has_more: bool
    """Whether the page is full, so that more changes may follow at once."""
