"""The forms of Clio's answers: data, errors, limits, and a single record that the caller may know already."""

import base64
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime

from fastapi import Response
from fastapi.responses import JSONResponse

from app.simulator.store.firm import Record

FORBIDDEN = "User is forbidden from taking that action"
HTML = "<html><body><h1>Something went wrong</h1></body></html>"


class Json(JSONResponse):
    """JSON as Clio announces it."""

    media_type = "application/json; charset=utf-8"


class Refused(Exception):
    """An answer in Clio's error form."""

    def __init__(self, status: int, kind: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.kind = kind


def error(status: int, kind: str, message: str) -> Response:
    """Clio's own form of an error."""
    return Json({"error": {"type": kind, "message": message}}, status_code=status)


def oauth_error(status: int, name: str, description: str) -> Response:
    """OAuth's form of an error."""
    return Json({"error": name, "error_description": description}, status_code=status)


def unauthorized() -> Response:
    """The token is dead: told in OAuth's form, not in Clio's."""
    text = "The access token provided is expired, revoked, malformed or invalid for other reasons."
    return oauth_error(401, "invalid_token", text)


def limited(limit: int, seconds: str, *, wrapped: bool = False) -> Response:
    """Too many requests; some saw the message wrapped."""
    message = f"Rate limit of {limit} exceeded. Retry in {seconds} seconds."
    response = error(429, "RateLimited", message)
    if wrapped:
        text = base64.b64encode(bytes(response.body)).decode()
        response = Json({"data": text}, status_code=429)
    response.headers["Retry-After"] = seconds
    return response


def is_current(record: Record, headers: Mapping[str, str]) -> bool:
    """Whether the caller knows a single record as it is; the etag decides where both are sent."""
    known = headers.get("if-none-match")
    if known is not None:
        return known.strip() == "*" or record["etag"] in _etags(known)
    since = headers.get("if-modified-since")
    try:
        return since is not None and _changed(record) <= parsedate_to_datetime(since)
    except (ValueError, TypeError):
        return False  # a date that nobody can read is no condition


def may_change(record: Record, headers: Mapping[str, str]) -> bool:
    """Whether the caller's If-Match, if there is one, holds."""
    known = headers.get("if-match")
    return known is None or known.strip() == "*" or record["etag"] in _etags(known)


def stamped(response: Response, record: Record) -> Response:
    """An answer about a single record, with its etag and its time."""
    response.headers["ETag"] = record["etag"]
    response.headers["Last-Modified"] = format_datetime(_changed(record), usegmt=True)
    return response


def not_modified(record: Record) -> Response:
    """The caller knows it."""
    return stamped(Response(status_code=304), record)


def _etags(text: str) -> set[str]:
    return {etag.strip() for etag in text.split(",")}


def _changed(record: Record) -> datetime:
    return datetime.fromisoformat(record["updated_at"]).astimezone(UTC)
