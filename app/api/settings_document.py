"""The settings document of the API: conversion to and from `app.rules.settings`, and merge patches (RFC 7396)."""

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from app.api import schemas
from app.api.preconditions import invalid_patch, merge
from app.db.accounts import settings
from app.rules.settings import Settings

_ADDED = (  # to the document of the first release
    ("new_client", "hold_possible_duplicates"),
    ("privacy", "respect_visibility"),
)


def from_body(body: schemas.Settings) -> Settings:
    """Return the settings of a request body."""
    return settings.from_document(body.model_dump(mode="json"))


def replace(current: Settings, body: schemas.Settings) -> tuple[Settings, list[str]]:
    """Return the settings after a whole document was sent, and the pointers of what was kept.

    A caller that knows only the document of an earlier release does not send what was added since: it stays as it is.
    """
    sent = body.model_dump(mode="json", exclude_unset=True)
    document = body.model_dump(mode="json")
    stored = _to_document(current)
    missing = [(section, leaf) for section, leaf in _ADDED if leaf not in sent.get(section, {})]
    for section, leaf in missing:
        document[section][leaf] = stored[section][leaf]
    return settings.from_document(document), [f"/{section}/{leaf}" for section, leaf in missing]


def to_body(current: Settings) -> schemas.Settings:
    """Return the settings as the API shows them."""
    return schemas.Settings.model_validate(_to_document(current))


def apply_patch(current: Settings, patch: Mapping[str, Any]) -> Settings:
    """Return the settings after a merge patch; raises InvalidRequest with pointers into the patch."""
    try:
        body = schemas.Settings.model_validate(merge(_to_document(current), patch))
    except ValidationError as error:
        raise invalid_patch(error) from None
    return from_body(body)


def _to_document(current: Settings) -> dict[str, Any]:
    """Return the document with ids of custom fields as strings, as the API has them."""
    document = settings.to_document(current)
    scope, tags, facts = document["scope"], document["tags"], document["key_facts"]
    opt_out = scope["opt_out_field_id"]
    scope["opt_out_field_id"] = None if opt_out is None else str(opt_out)
    for field in tags["custom_fields"]:
        field["field_id"] = str(field["field_id"])
    facts["custom_date_field_ids"] = [str(i) for i in facts["custom_date_field_ids"]]
    return document
