"""Preconditions of a change: `If-Match` with the `ETag` that the caller has read, and the media type of a merge patch.

What is changed must be locked before it is compared with `If-Match`.
"""

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import Body, Depends, Header, Request
from pydantic import ValidationError

from app.api import advice
from app.api.problems import pointer_of
from app.errors import AppError, InvalidRequest

MERGE_PATCH = "application/merge-patch+json"


class PreconditionRequired(AppError):
    """The change must name the version that the caller has read."""

    status = 428
    code = "precondition_required"
    title = "The If-Match header is missing"
    next_step = "read what you change, and send its ETag in this header"


class VersionConflict(AppError):
    """What is changed is no longer as the caller has read it."""

    status = 412
    code = "version_conflict"
    title = "This has changed since you read it"
    next_step = "read it again and repeat your change"


class UnsupportedMediaType(AppError):
    """The patch has another media type than a JSON merge patch."""

    status = 415
    code = "unsupported_media_type"
    title = "The body is not sent as a JSON merge patch"
    next_step = f"send it with Content-Type: {MERGE_PATCH} or application/json"


IfMatch = Annotated[
    str | None, Header(description="The `ETag` of the version that you change.", max_length=512)
]


def check_match(if_match: str | None, etag: str | None) -> None:
    """Raise VersionConflict if `If-Match` was sent and does not name this version; None: there is nothing yet."""
    if if_match is None:
        return
    sent = {tag.strip() for tag in if_match.split(",")}
    if etag is None or not sent & {"*", etag}:
        raise VersionConflict(headers={"ETag": etag} if etag else None)


def require_match(if_match: str | None, etag: str) -> None:
    """Raise PreconditionRequired without `If-Match`, and VersionConflict if it does not name this version."""
    if if_match is None:
        raise PreconditionRequired
    check_match(if_match, etag)


def _require_merge_patch(request: Request) -> None:
    """Raise UnsupportedMediaType unless the body is a JSON merge patch; plain JSON is read as one."""
    kind = request.headers.get("content-type", MERGE_PATCH).partition(";")[0].strip().lower()
    if kind not in (MERGE_PATCH, "application/json"):
        raise UnsupportedMediaType(headers={"Accept-Patch": MERGE_PATCH})


MergePatchOnly = Annotated[None, Depends(_require_merge_patch)]


def merge_patch_body(example: Mapping[str, Any]) -> Any:
    """Return the description of a body that is a merge patch."""
    return Body(
        media_type=MERGE_PATCH,
        description="A JSON merge patch (RFC 7396): null sets a part back to its default.",
        examples=[dict(example)],
    )


def merge(document: Mapping[str, Any], patch: Mapping[str, Any]) -> dict[str, Any]:
    """Return the document with the patch applied.

    The recursion is only as deep as the document: deeper values of the patch are copied, and then refused as invalid.
    """
    merged = dict(document)
    for name, value in patch.items():
        current = merged.get(name)
        if value is None:
            merged.pop(name, None)
        elif isinstance(value, dict) and isinstance(current, dict):
            merged[name] = merge(current, value)
        else:
            merged[name] = value
    return merged


def invalid_patch(error: ValidationError) -> InvalidRequest:
    """Return the error of a patched document that is not valid, with pointers into the patch."""
    found = error.errors(include_url=False, include_input=False)
    return InvalidRequest(errors=[(pointer_of(e["loc"]), advice.of(e)) for e in found])
