"""The OpenAPI document: what FastAPI makes of the endpoints, and what is true of many of them, said once.

An endpoint documents the problems that are its own. Those that come of its form, as of a token, a body or a page of
a list, are added here, so that none is forgotten.
"""

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from fastapi import FastAPI

from app.api import problems
from app.api.cursors import CursorMismatch, InvalidCursor
from app.api.deps import InvalidToken, TooManyRequests
from app.api.problems import Problem, Told, told
from app.db.accounts.accounts import AccountNotFound
from app.errors import DatabaseUnavailable, InvalidRequest

Operation: TypeAlias = dict[str, Any]

DESCRIPTION = """\
Clients of law firms, from Clio Manage to Levitate: connect logins, choose settings, run a sync, read contacts and
their changes, write activities back, be told of events.

- **Callers.** `Authorization: Bearer <service token>`. A foreign account answers 404, as an unknown one.
- **Acting users.** `Levitate-User` and `Levitate-Role` say for whom the backend acts; they are kept in the audit.
- **Errors** are `application/problem+json` (RFC 9457). Decide by `code`; each answer below lists its codes in
  `x-problem-codes`. A fault of ours is a 500 `internal_error`. `request_id` finds the call in the log.
- **Lists** are pages: go on with `?cursor=<next_cursor>` while `has_more`. They are sorted by id.
- **Starting something** needs an `Idempotency-Key`: the same key and body again answer the same, for 7 days.
- **Settings** are changed with `If-Match`, the `ETag` of the version that was read.
- **Enums are open.** Ignore kinds, codes and fields that you do not know: there will be more.
- **Ids** are opaque strings, ours and Clio's alike. Times are RFC 3339 in UTC.
"""

TAGS = [
    {"name": "accounts", "description": "Firms, their Levitate users, their attorneys, how they fare"},
    {"name": "connections", "description": "Clio logins of a firm's users, by OAuth"},
    {"name": "settings", "description": "What a firm chose, what another choice would change"},
    {"name": "runs", "description": "One pass over one account: ask for it, follow it, read its report"},
    {"name": "contacts", "description": "People as Levitate holds them, why, and how they came to be so"},
    {"name": "changes", "description": "The feed: every change of every contact, in order, for ever"},
    {"name": "new clients", "description": "The ledger: each person announced once, ever"},
    {"name": "activities", "description": "What Levitate's users did, written to Clio once"},
    {"name": "events", "description": "Signed posts to Levitate (Standard Webhooks): endpoints and deliveries"},
    {"name": "issues", "description": "What somebody should know, and what waits for a person"},
    {"name": "operations", "description": "The audit, Clio's nudges, health and metrics"},
]  # fmt: skip

_NEEDED = {"idempotency-key", "if-match"}  # answered with codes of their own when missing


def _has_token(_: str, operation: Operation) -> bool:
    return "security" in operation


def _has_account(path: str, _: Operation) -> bool:
    return "{account_id}" in path


def _has_body(_: str, operation: Operation) -> bool:
    return "requestBody" in operation


def _has_input(_: str, operation: Operation) -> bool:
    return "requestBody" in operation or "parameters" in operation


def _is_list(_: str, operation: Operation) -> bool:
    return any(parameter["name"] == "cursor" for parameter in operation.get("parameters", ()))


def _asks_the_database(path: str, _: Operation) -> bool:
    return path.startswith(("/v1/", "/hooks/", "/oauth/"))


_GENERAL: tuple[tuple[Callable[[str, Operation], bool], tuple[Told, ...]], ...] = (
    (_has_token, (told(InvalidToken), told(TooManyRequests))),
    (_has_account, (told(AccountNotFound),)),
    (_is_list, (told(InvalidCursor), told(CursorMismatch))),
    (_has_body, (problems.told_by_http(400), problems.told_by_http(413))),
    (_has_input, (told(InvalidRequest),)),
    (_asks_the_database, (told(DatabaseUnavailable),)),
)


def install(app: FastAPI) -> None:
    """Make the application's document the whole one."""
    made = app.openapi

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            _complete(made())
        document: dict[str, Any] = app.openapi_schema or {}
        return document

    app.openapi = openapi  # type: ignore[method-assign]  # FastAPI's own way to change the document


def _complete(document: dict[str, Any]) -> None:
    schemas = document["components"]["schemas"]
    for name in ("HTTPValidationError", "ValidationError"):  # FastAPI's, which we never answer
        schemas.pop(name, None)
    whole = Problem.model_json_schema(ref_template=problems.SCHEMAS + "{model}")
    schemas.update(whole.pop("$defs"), Problem=whole)
    for path, methods in document["paths"].items():
        for operation in methods.values():
            _complete_operation(path, operation)


def _complete_operation(path: str, operation: Operation) -> None:
    for parameter in operation.get("parameters", ()):
        if parameter["in"] == "header":
            _complete_header(parameter)
    responses = operation["responses"]
    if "x-problem-codes" not in responses.get("422", {}):
        responses.pop("422", None)
    for applies, found in _GENERAL:
        if applies(path, operation):
            for status, code, title in found:
                _add(responses, status, code, title)
    operation["responses"] = dict(sorted(responses.items()))


def _complete_header(parameter: dict[str, Any]) -> None:
    if parameter["name"] in _NEEDED:
        parameter["required"] = True
        parameter["schema"] = {**parameter["schema"], **parameter["schema"].pop("anyOf")[0]}
    parameter["name"] = parameter["name"].title()


def _add(responses: dict[str, Any], status: int, code: str, title: str) -> None:
    known: Mapping[str, Any] = responses.get(str(status), {})
    if code in known.get("x-problem-codes", ()):
        return
    more = problems.answer([(code, title)])
    if known:
        more["description"] = f"{known['description']}; {more['description']}"
        more["x-problem-codes"] = [*known.get("x-problem-codes", ()), code]
        more["content"] = {**known.get("content", {}), **more["content"]}
    responses[str(status)] = more
