"""Turns failures into RFC 9457 problems: the only place where an error becomes HTTP.

A problem never repeats what was sent and never shows the text of a failure that is not one of ours [T9, T12].
"""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any, TypeAlias

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict
from starlette.exceptions import HTTPException
from starlette.routing import compile_path
from starlette.types import Scope

from app.errors import AppError, InvalidRequest

MEDIA_TYPE = "application/problem+json"
TYPE_BASE = "https://levitate-clio.dev/problems/"
SCHEMAS = "#/components/schemas/"

Told: TypeAlias = tuple[int, str, str]  # status, code, title

log = structlog.get_logger(__name__)

NOT_JSON = ("invalid_json", "The body is not valid JSON")
_HTTP_ERRORS = {
    400: NOT_JSON,  # FastAPI's own word for a body that its parser gave up on, such as one nested too deep
    404: ("not_found", "There is nothing at this address"),
    405: (
        "method_not_allowed",
        "The address does not know this method; `Allow` lists those it does",
    ),
    413: ("body_too_large", "The body is larger than the 4 MiB that are read"),
}


class FieldProblem(BaseModel):
    """What is wrong with one part of a body, query or header."""

    pointer: str
    detail: str


class Problem(BaseModel):
    """An error, in the form of RFC 9457. `code` is stable: decide by it, show `detail` to people."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "type": TYPE_BASE + "account_not_found",
                    "title": "There is no such account for this token",
                    "status": 404,
                    "detail": "There is no such account for this token",
                    "instance": "/v1/accounts/nobody",
                    "code": "account_not_found",
                    "request_id": "req_0192f0c4",
                }
            ]
        }
    )

    type: str
    title: str
    status: int
    detail: str
    instance: str
    code: str
    request_id: str
    errors: list[FieldProblem] | None = None


def told(error: type[AppError]) -> Told:
    """A failure as the documentation tells it."""
    return error.status, error.code, error.title


def told_by_http(status: int) -> Told:
    """A failure of the form of a request, before any endpoint saw it."""
    return status, *_HTTP_ERRORS[status]


def problems(*errors: type[AppError]) -> dict[int | str, dict[str, Any]]:
    """The documentation of the errors that an endpoint may answer, for its `responses`.

    Those that come of its form alone are added by `app.api.document`.
    """
    by_status: dict[int | str, list[tuple[str, str]]] = {}
    for status, code, title in map(told, errors):
        by_status.setdefault(status, []).append((code, title))
    return {status: answer(found) for status, found in by_status.items()}


def answer(found: Sequence[tuple[str, str]]) -> dict[str, Any]:
    """The documentation of an answer that is one of these problems, each a code and its title."""
    return {
        "description": "; ".join(f"`{code}`: {title}" for code, title in found),
        "x-problem-codes": [code for code, _ in found],
        "content": {MEDIA_TYPE: {"schema": {"$ref": SCHEMAS + Problem.__name__}}},
    }


def install(app: FastAPI) -> None:
    """Make every error of the application a problem."""
    app.add_exception_handler(AppError, _app_error)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http_error)
    app.add_exception_handler(Exception, _fault)


def _problem(request: Request, status: int, code: str, title: str, detail: str = "") -> Problem:
    return Problem(
        type=TYPE_BASE + code,
        title=title,
        status=status,
        detail=detail or title,
        instance=request.url.path,
        code=code,
        request_id=request.state.request_id,
    )


def _answer(problem: Problem, headers: Mapping[str, str] | None = None) -> JSONResponse:
    return JSONResponse(
        problem.model_dump(exclude_none=True),
        status_code=problem.status,
        headers=headers,
        media_type=MEDIA_TYPE,
    )


async def _app_error(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, AppError)  # noqa: S101  # registered for this class
    problem = _problem(request, error.status, error.code, error.title, error.detail)
    if isinstance(error, InvalidRequest):
        problem.errors = [
            FieldProblem(pointer=pointer, detail=detail) for pointer, detail in error.errors
        ]
    return _answer(problem, error.headers)


async def _invalid(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)  # noqa: S101  # registered for this class
    found = error.errors()
    if any(item["type"] == "json_invalid" for item in found):
        return _answer(_problem(request, 400, *NOT_JSON))
    problem = _problem(
        request, 422, "invalid_request", "The request is not valid; `errors` says where"
    )
    problem.errors = [
        FieldProblem(pointer=_pointer(item["loc"]), detail=item["msg"]) for item in found
    ]
    return _answer(problem)


def _pointer(location: Sequence[str | int]) -> str:
    """Where it is: a JSON pointer into the body, or the name of a parameter behind its place."""
    place, *path = location
    pointer = pointer_of(path)
    return pointer if place == "body" else f"{place}:{pointer.removeprefix('/')}"


def pointer_of(path: Sequence[str | int]) -> str:
    """The JSON pointer (RFC 6901) of a path through objects and lists."""
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in path)


def too_large(scope: Scope) -> JSONResponse:
    """The answer to a body that says itself that it is too large."""
    status, (code, title) = 413, _HTTP_ERRORS[413]
    return _answer(_problem(Request(scope), status, code, title))


async def _http_error(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)  # noqa: S101  # registered for this class
    status = HTTPStatus(error.status_code)
    headers = dict(error.headers or {})
    if status is HTTPStatus.METHOD_NOT_ALLOWED and (allowed := _allowed(request)):
        headers["Allow"] = ", ".join(sorted(allowed))
    code, title = _HTTP_ERRORS.get(status, ("http_error", status.phrase))
    return _answer(_problem(request, status, code, title), headers)


def _allowed(request: Request) -> set[str]:
    """Every method that the path knows (RFC 9110 §10.2.1): a route by itself names only its own."""
    paths: dict[str, dict[str, Any]] = request.app.openapi()["paths"]
    return {
        method.upper()
        for template, methods in paths.items()
        if compile_path(template)[0].match(request.url.path)
        for method in methods
    }


async def _fault(request: Request, error: Exception) -> JSONResponse:
    log.error("request_failed", exc_info=error)
    problem = _problem(request, 500, "internal_error", "A fault in this service; it was logged")
    # This answer does not pass through RequestContext, which sets the header of all others.
    return _answer(problem, {"X-Request-Id": problem.request_id})
