"""The formats of Clio's responses: data, errors, rate limits, and conditional requests for a single record."""

import base64
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime

from fastapi import Response
from fastapi.responses import JSONResponse

from app.simulator.store.firm import Record
from app.simulator.store.refusals import Refusal

HTML = "<html><body><h1>Something went wrong</h1></body></html>"


class Json(JSONResponse):
    """JSON with the media type that Clio sends."""

    media_type = "application/json; charset=utf-8"


def error(status: int, kind: str, message: str) -> Response:
    """Return an error in Clio's own format."""
    return Json({"error": {"type": kind, "message": message}}, status_code=status)


def refused(refusal: Refusal) -> Response:
    """Return the response of a refused request."""
    return error(refusal.status, refusal.kind, str(refusal))


def oauth_error(status: int, name: str, description: str) -> Response:
    """Return an error in OAuth's format."""
    return Json({"error": name, "error_description": description}, status_code=status)


def unauthorized() -> Response:
    """Return the response for an invalid token. It has OAuth's format, not Clio's."""
    text = "The access token provided is expired, revoked, malformed or invalid for other reasons."
    return oauth_error(401, "invalid_token", text)


def rate_limited(limit: int, seconds: str, *, wrapped: bool = False) -> Response:
    """Return a 429; `wrapped` as some clients have seen it."""
    message = f"Rate limit of {limit} exceeded. Retry in {seconds} seconds."
    response = error(429, "RateLimited", message)
    if wrapped:
        text = base64.b64encode(bytes(response.body)).decode()
        response = Json({"data": text}, status_code=429)
    response.headers["Retry-After"] = seconds
    return response


def is_current(record: Record, headers: Mapping[str, str]) -> bool:
    """Return whether the caller has the current record. If-None-Match takes precedence over If-Modified-Since."""
    known = headers.get("if-none-match")
    if known is not None:
        return known.strip() == "*" or record["etag"] in _etags(known)
    since = headers.get("if-modified-since")
    try:
        return since is not None and _changed_at(record) <= parsedate_to_datetime(since)
    except (ValueError, TypeError):
        return False  # an unreadable date is ignored


def may_change(record: Record, headers: Mapping[str, str]) -> bool:
    """Return whether the caller's If-Match, if given, matches the record."""
    known = headers.get("if-match")
    return known is None or known.strip() == "*" or record["etag"] in _etags(known)


def with_etag(response: Response, record: Record) -> Response:
    """Add the etag and the time of a record to a response, and return the response."""
    response.headers["ETag"] = record["etag"]
    response.headers["Last-Modified"] = format_datetime(_changed_at(record), usegmt=True)
    return response


def not_modified(record: Record) -> Response:
    """Return a 304 for a record that the caller already has."""
    return with_etag(Response(status_code=304), record)


def _etags(text: str) -> set[str]:
    return {etag.strip() for etag in text.split(",")}


def _changed_at(record: Record) -> datetime:
    return datetime.fromisoformat(record["updated_at"]).astimezone(UTC)
