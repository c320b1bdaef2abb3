"""Problem documents (RFC 9457): the only place where an error becomes an HTTP response.

A problem never repeats the input, and never shows the text of an exception that is not an `AppError` [T9, T12].
"""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from types import MappingProxyType
from typing import Any, TypeAlias

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import ConfigDict
from starlette.exceptions import HTTPException
from starlette.routing import compile_path
from starlette.types import Scope

from app.api import advice, response_headers
from app.api.schemas.base import Schema
from app.errors import AppError, InvalidRequest

MEDIA_TYPE = "application/problem+json"
TYPE_BASE = "https://levitate-clio.dev/problems/"
SCHEMAS = "#/components/schemas/"
# An answer repeats parts of the input only in pointers, and is never much longer than a usual one.
MOST_ERRORS = 100  # listed in one problem
LONGEST_PART, LONGEST_TEXT = (
    100,
    300,
)  # characters of one part of a pointer; of a pointer, message or path

DocumentedProblem: TypeAlias = tuple[int, str, str]  # status, code, title

log = structlog.get_logger(__name__)

NOT_JSON = ("invalid_json", "The body is not valid JSON", "send UTF-8 text as in RFC 8259")
_HTTP_ERRORS = {
    400: NOT_JSON,  # FastAPI's status for a body that its parser cannot read, for example because of its nesting
    404: ("not_found", "There is no such path", "/openapi.json lists all paths"),
    405: (
        "method_not_allowed",
        "This path does not allow the method",
        "the header `Allow` lists those it allows",
    ),
    413: (
        "body_too_large",
        "The body has more than 4 MiB, or more than 100,000 values",
        "send less at once",
    ),
}

OTHER_HTTP_ERROR = (
    "http_error",
    "The request cannot be served in this form",
    "compare it with /openapi.json",
)


class FieldProblem(Schema):
    """An error in one part of the body, query or headers."""

    pointer: str
    """A JSON pointer into the body, such as `/users/0/email`, or the place and name of a parameter, such as
    `query:limit`."""

    detail: str
    """What is wrong there and what must be sent, in plain words."""


class Problem(Schema):
    """An error as an RFC 9457 problem document."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "type": TYPE_BASE + "account_not_found",
                    "title": "There is no such account for this token",
                    "status": 404,
                    "detail": "There is no such account for this token; check the id, or use a token that may see it",
                    "instance": "/v1/accounts/nobody",
                    "code": "account_not_found",
                    "request_id": "req_0192f0c4",
                }
            ]
        }
    )

    type: str
    """A stable URI for the kind of error. It ends in `code`."""

    title: str
    """What this kind of error means, in plain words. It is the same each time."""

    status: int
    """The HTTP status, as in the response."""

    detail: str
    """What is wrong and what to do about it, in plain words. Show it to people; the wording can change."""

    instance: str
    """The path of the request."""

    code: str
    """A stable code to decide by."""

    request_id: str
    """The id of the request in the log, as in the header `X-Request-Id`. Give it to support."""

    errors: list[FieldProblem] | None = None
    """The parts of the request that are not valid. Present only for `invalid_request`."""


def documented(error: type[AppError]) -> DocumentedProblem:
    """Return an error as the OpenAPI document describes it."""
    return error.status, error.code, error.title


def documented_http(status: int) -> DocumentedProblem:
    """Return an error that FastAPI or Starlette raises before an endpoint is called."""
    code, title, _ = _HTTP_ERRORS[status]
    return status, code, title


def problems(*errors: type[AppError]) -> dict[int | str, dict[str, Any]]:
    """Return the `responses` of an endpoint that raises these errors.

    `app.api.openapi` adds the errors that follow from the endpoint's form, such as an invalid token.
    """
    by_status: dict[int | str, list[tuple[str, str]]] = {}
    for status, code, title in map(documented, errors):
        by_status.setdefault(status, []).append((code, title))
    return {status: problem_response(found) for status, found in by_status.items()}


def problem_response(found: Sequence[tuple[str, str]]) -> dict[str, Any]:
    """Return the documentation of a response that is one of these problems, each a code and its title."""
    return {
        "description": "; ".join(f"`{code}`: {title}" for code, title in found),
        "x-problem-codes": [code for code, _ in found],
        "content": {MEDIA_TYPE: {"schema": {"$ref": SCHEMAS + Problem.__name__}}},
    }


def install(app: FastAPI) -> None:
    """Make the application return a problem document for every error."""
    app.add_exception_handler(AppError, _handle_app_error)
    app.add_exception_handler(RequestValidationError, _handle_invalid_request)
    app.add_exception_handler(HTTPException, _handle_http_error)
    app.add_exception_handler(Exception, _handle_unexpected)


def _problem(request: Request, status: int, code: str, title: str, detail: str) -> Problem:
    """Return the problem; its code is logged with the request."""
    request.state.reason = code
    return Problem(
        type=TYPE_BASE + code,
        title=title,
        status=status,
        detail=detail,
        instance=request.url.path[:LONGEST_TEXT],
        code=code,
        request_id=request.state.request_id,
    )


def _response(
    problem: Problem,
    headers: Mapping[str, str] | None = None,
    members: Mapping[str, Any] = MappingProxyType({}),
) -> JSONResponse:
    return JSONResponse(
        {**problem.model_dump(exclude_none=True), **members},
        status_code=problem.status,
        headers=headers,
        media_type=MEDIA_TYPE,
    )


def response_to(scope: Scope, error: AppError) -> JSONResponse:
    """Return the response to an error."""
    problem = _problem(Request(scope), error.status, error.code, error.title, error.detail)
    if isinstance(error, InvalidRequest):
        _list_errors(problem, error.errors)
    return _response(problem, error.headers, error.members)


async def _handle_app_error(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, AppError)  # noqa: S101  # registered for this class
    return response_to(request.scope, error)


async def _handle_invalid_request(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)  # noqa: S101  # registered for this class
    found = error.errors()
    if any(item["type"] == "json_invalid" for item in found):
        return _response(_http_problem(request, 400))
    listed = found[: MOST_ERRORS + 1]
    return _invalid(request, [(_pointer(item["loc"]), advice.of(item)) for item in listed])


def invalid_body(scope: Scope, found: Sequence[Mapping[str, Any]]) -> JSONResponse:
    """Return the response to a body, or a part of one, in which pydantic has found these errors."""
    listed = found[: MOST_ERRORS + 1]
    return _invalid(Request(scope), [(pointer_of(item["loc"]), advice.of(item)) for item in listed])


def _invalid(request: Request, errors: Sequence[tuple[str, str]]) -> JSONResponse:
    problem = _problem(request, *documented(InvalidRequest), InvalidRequest.usual_detail())
    _list_errors(problem, errors)
    return _response(problem)


def _list_errors(problem: Problem, errors: Sequence[tuple[str, str]]) -> None:
    """List the first errors, each with its pointer and message; say so if there are more."""
    problem.errors = [
        FieldProblem(pointer=pointer[:LONGEST_TEXT], detail=detail[:LONGEST_TEXT])
        for pointer, detail in errors[:MOST_ERRORS]
    ]
    if len(errors) > MOST_ERRORS:
        problem.detail = f"The request is not valid; `errors` has the first {MOST_ERRORS} errors"


def _pointer(location: Sequence[str | int]) -> str:
    """Return a JSON pointer into the body, or the place and name of a parameter, such as `query:limit`."""
    place, *path = location
    pointer = pointer_of(path)
    return pointer if place == "body" else f"{place}:{pointer.removeprefix('/')}"


def pointer_of(path: Sequence[str | int]) -> str:
    """Return the JSON pointer (RFC 6901) of a path through objects and lists; a long name in it is cut."""
    parts = (str(part)[:LONGEST_PART] for part in path)
    return "".join("/" + part.replace("~", "~0").replace("/", "~1") for part in parts)


def body_too_large(scope: Scope) -> JSONResponse:
    """Return the response to a request whose Content-Length is above the limit."""
    return _response(_http_problem(Request(scope), 413))


async def _handle_http_error(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)  # noqa: S101  # registered for this class
    status = HTTPStatus(error.status_code)
    headers = dict(error.headers or {})
    if status is HTTPStatus.METHOD_NOT_ALLOWED and (allowed := _allowed_methods(request)):
        headers["Allow"] = ", ".join(sorted(allowed))
    return _response(_http_problem(request, status), headers)


def _http_problem(request: Request, status: int) -> Problem:
    """Return the problem of an error that FastAPI or Starlette raises."""
    code, title, next_step = _HTTP_ERRORS.get(status, OTHER_HTTP_ERROR)
    return _problem(request, status, code, title, f"{title}; {next_step}")


def _allowed_methods(request: Request) -> set[str]:
    """Return all methods of the path, for `Allow` (RFC 9110 §10.2.1); Starlette lists only those of one route."""
    paths: dict[str, dict[str, Any]] = request.app.openapi()["paths"]
    return {
        method.upper()
        for template, methods in paths.items()
        if compile_path(template)[0].match(request.url.path)
        for method in methods
    }


async def _handle_unexpected(request: Request, error: Exception) -> JSONResponse:
    log.error("request_failed", exc_info=error)
    problem = _problem(
        request,
        AppError.status,
        AppError.code,
        AppError.title,
        AppError.usual_detail(),
    )
    # This response does not pass through RequestContext, which sets the headers of all others.
    response = _response(problem, {"X-Request-Id": problem.request_id})
    response_headers.add_headers(response.headers, request.scope)
    return response
