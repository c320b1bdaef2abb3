"""Response bodies of the versions of settings."""

from datetime import datetime

from app.api.schemas.base import Schema
from app.api.schemas.settings import Settings


class SettingsVersion(Schema):
    """One version of a firm's settings."""

    version: int
    """The number of the version. Version 1 has the defaults; each change adds one."""

    settings: Settings
    """All settings of this version."""

    updated_at: datetime
    """When the version was saved (RFC 3339, UTC). For version 1 this is when the account was created."""

    updated_by: str | None
    """Levitate's id of the user who saved it. Null for version 1, and if the request named nobody."""

    note: str | None
    """Why it was saved, as its author wrote it in the console. Null without a note."""


class SettingsSaved(SettingsVersion):
    """The settings that are valid now. If nothing changed, this is the version from before."""

    run_id: str | None
    """The id of the run that applies the change to all contacts. Null if no contact can change."""

    kept: list[str]
    """JSON pointers of settings that are newer than the document that was sent. They were missing there, and so kept
    their values. Empty for a PATCH."""
