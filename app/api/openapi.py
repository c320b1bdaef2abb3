"""The OpenAPI document: FastAPI's document, completed with the problems that many operations have in common.

An endpoint documents only its own problems. The problems that follow from its form, such as an authenticated request,
a body or a page of a list, are added here for all endpoints, so that none is forgotten.
"""

import json
import re
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from fastapi import FastAPI

from app.api import problems, scopes
from app.api import schemas as models
from app.api.acting_user import HEADER, ActingUserInvalid
from app.api.audience import ActingUserRequired
from app.api.authentication import PROTECTED, InvalidToken, TooManyRequests
from app.api.cursors import CursorMismatch, InvalidCursor
from app.api.document_details import add_details
from app.api.open_enums import open_enums
from app.api.problems import DocumentedProblem, Problem, documented, documented_http
from app.api.unknown_parameters import UnknownParameter
from app.db.accounts.accounts import AccountNotFound
from app.db.accounts.service_tokens import Scope
from app.errors import AppError, DatabaseUnavailable, InvalidRequest

Operation: TypeAlias = dict[str, Any]

DESCRIPTION = """\
This service joins Levitate with Clio Manage, the practice management system of law firms. Use it to connect the Clio
logins of a firm, change its settings, run a sync, read contacts and their changes, write activities to Clio, and
receive events.

- **Authentication.** Send `Authorization: Bearer <service token>`. An account that the token may not see returns 404,
  like an account that does not exist. A token can have an end; then it gets 401, like a revoked one.
- **Scopes.** `security` of each operation names the scope that a token needs. `read` is for reading and previews.
  `write` is also for activities, runs, tags that a contact had before, and the login of the user whom `Levitate-User`
  names. `admin` is for everything. A token whose scope is too small gets 403 with `scope_required`.
- **Acting user.** `Levitate-User` and `Levitate-Role` name the user for whom your backend acts. This service believes
  both, so your backend must have checked them. The audit log records both. User ids may have any printable character;
  in `Levitate-User` they are percent-encoded UTF-8 where they are not printable ASCII or contain `%`.
- **Visibility.** If the setting `privacy.respect_visibility` is on, reads that show people need `Levitate-User`, and
  show what this user's own login sees in Clio. Somebody whom it does not see is unknown. `success_manager` sees all.
  The change feed and events are for your backend and show everybody; the settings then need a role.
- **Each header and parameter once.** A request in which one that is read is sent twice gets 422.
- **Errors** are `application/problem+json` (RFC 9457). Decide by `code`, and show `detail` to people. Each response
  below lists its codes in `x-problem-codes`. An error in this service is a 500 with `internal_error`. `request_id`
  identifies the request in the log.
- **Lists** have pages: continue with `?cursor=<next_cursor>` while `has_more` is true. They are sorted by id. Most take
  `order=newest` or `oldest`, `since` and `until` for the time of their items, and `count=true` for `total`.
- **Parameters** that an operation does not know get 422 with `unknown_parameter`, which names those that it knows.
- **Idempotency.** A request that starts something needs an `Idempotency-Key`. The same key with the same body returns
  the same result for 7 days, and starts nothing again.
- **Settings and parts of accounts** are changed with `If-Match`: send the `ETag` of what you have read.
- **Enums are open.** Ignore kinds, codes and fields that you do not know: new ones will be added.
- **Ids** of this service and of Clio are opaque strings. Times are in UTC, in RFC 3339 format.
"""

TAGS = [
    {"name": "accounts", "description": "Firms, their Levitate users, their attorneys, and their status"},
    {"name": "connections", "description": "The Clio logins of a firm's users, connected by OAuth"},
    {"name": "settings", "description": "A firm's settings, and a preview of what other settings would change"},
    {"name": "runs", "description": "A run is one sync of one account: request it, follow it, read its report"},
    {"name": "contacts", "description": "The contacts of a firm, the reasons for their tags and owner, their history"},
    {"name": "changes", "description": "The change feed: every change of every contact, in order"},
    {"name": "new clients", "description": "The people announced as new clients: each person once"},
    {"name": "activities", "description": "What Levitate's users did, written to Clio once"},
    {"name": "events", "description": "Signed webhooks to Levitate (Standard Webhooks): endpoints and deliveries"},
    {"name": "issues", "description": "Problems that somebody should know, and holds that wait for a decision"},
    {"name": "console", "description": "Links to the console, where Success Managers and firms' administrators work"},
    {"name": "operations", "description": "The audit log, Clio's webhooks, health checks and metrics"},
]  # fmt: skip

_EVENTS = "text/event-stream"
# FastAPI describes server-sent events by a keyword of OpenAPI 3.2.
_EVENT_STREAM = {
    "type": "string",
    "description": "Server-sent events. Each has a name in `event` and JSON in one line of `data`.",
}

# Optional in the code, so that a request without them gets a problem with its own code; documented as required.
_REQUIRED_HEADERS = {"idempotency-key", "if-match"}


def _needs_token(_: str, operation: Operation) -> bool:
    return bool(operation.get("security"))


def _needs_larger_scope(path: str, operation: Operation) -> bool:
    return _needs_token(path, operation) and _scope_of(operation) is not Scope.READ


def _scope_of(operation: Operation) -> Scope:
    return scopes.needed_for(operation["operationId"])


def _has_account(path: str, _: Operation) -> bool:
    return "{account_id}" in path


def _has_body(_: str, operation: Operation) -> bool:
    return "requestBody" in operation


def _names_acting_user(_: str, operation: Operation) -> bool:
    return any(parameter["name"] == HEADER for parameter in operation.get("parameters", ()))


def _has_input(path: str, operation: Operation) -> bool:
    """Return whether something sent can be wrong; below `/v1` that is also a header or a parameter that is not read."""
    return "requestBody" in operation or "parameters" in operation or _needs_token(path, operation)


def _is_list(_: str, operation: Operation) -> bool:
    return any(parameter["name"] == "cursor" for parameter in operation.get("parameters", ()))


def _always(_: str, __: Operation) -> bool:
    return True


def _refuses_unknown(path: str, _: Operation) -> bool:
    return path.startswith(PROTECTED)


def _uses_database(path: str, _: Operation) -> bool:
    return path.startswith(("/v1/", "/hooks/", "/oauth/"))


_COMMON_PROBLEMS: tuple[
    tuple[Callable[[str, Operation], bool], tuple[DocumentedProblem, ...]], ...
] = (
    (_needs_token, (documented(InvalidToken), documented(TooManyRequests))),
    (_needs_larger_scope, (documented(scopes.ScopeRequired),)),
    (_has_account, (documented(AccountNotFound),)),
    (_is_list, (documented(InvalidCursor), documented(CursorMismatch))),
    (_names_acting_user, (documented(ActingUserInvalid),)),
    (_has_body, (documented_http(400), documented_http(413))),
    (_has_input, (documented(InvalidRequest),)),
    (_uses_database, (documented(DatabaseUnavailable),)),
    (_refuses_unknown, (documented(UnknownParameter),)),
    (_always, (documented(AppError),)),
)


def install(app: FastAPI) -> None:
    """Make the application return the completed document."""
    original = app.openapi

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = _name_pages(original())
            _complete(app.openapi_schema)
        document: dict[str, Any] = app.openapi_schema or {}
        return document

    app.openapi = openapi  # type: ignore[method-assign]  # FastAPI's documented way to change the document


def _name_pages(document: dict[str, Any]) -> dict[str, Any]:
    """Return the document with `AccountPage` for what pydantic calls `Page_Account_`: clients have these names."""
    renamed: dict[str, Any] = json.loads(
        re.sub(r'\bPage_(\w+)_"', r'\1Page"', json.dumps(document))
    )
    return renamed


def _complete(document: dict[str, Any]) -> None:
    schemas = document["components"]["schemas"]
    for name in ("HTTPValidationError", "ValidationError"):  # FastAPI's own errors, never returned
        schemas.pop(name, None)
    for name, schema in schemas.items():
        _keep_nulls_in_examples(name, schema)
    problem = Problem.model_json_schema(ref_template=problems.SCHEMAS + "{model}")
    schemas.update(problem.pop("$defs"), Problem=problem)
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            _complete_operation(path, operation)
            if method == "get" and _names_acting_user(path, operation):
                _add_problem(operation["responses"], *documented(ActingUserRequired))
    open_enums(document)
    add_details(document)


def _keep_nulls_in_examples(name: str, schema: dict[str, Any]) -> None:
    """Set the examples of a schema as they were written: FastAPI leaves out what is null in them."""
    extra = getattr(getattr(models, name, None), "model_config", {}).get("json_schema_extra", {})
    if "examples" in extra:
        schema["examples"] = extra["examples"]


def _complete_operation(path: str, operation: Operation) -> None:
    _complete_parameters(operation)
    _name_scope(operation)
    responses = operation["responses"]
    _describe_events(responses)
    if "x-problem-codes" not in responses.get("422", {}):
        responses.pop("422", None)
    for applies, found in _COMMON_PROBLEMS:
        if applies(path, operation):
            for status, code, title in found:
                _add_problem(responses, status, code, title)
    operation["responses"] = dict(sorted(responses.items()))


def _name_scope(operation: Operation) -> None:
    """Name the scope that a token needs, or that none is needed.

    OpenAPI 3.1 has it where the roles are of schemes that are not OAuth.
    """
    for scheme in operation.setdefault("security", []):  # an empty list says: no token
        scheme["HTTPBearer"] = [_scope_of(operation).value]


def _describe_events(responses: dict[str, Any]) -> None:
    content = responses.get("200", {}).get("content", {})
    if _EVENTS in content:
        content[_EVENTS] = {"schema": _EVENT_STREAM}


def _complete_parameters(operation: Operation) -> None:
    for parameter in operation.get("parameters", ()):
        name, schema = parameter["name"], parameter["schema"]
        if "anyOf" in schema:  # with null, which only means that it is left out
            value = schema.pop("anyOf")[0]
            parameter["schema"] = {**schema, **value}
        if parameter["in"] == "header":
            parameter["name"] = name.title()
            if name in _REQUIRED_HEADERS and _is_required(name, operation):
                parameter["required"] = True


def _is_required(header: str, operation: Operation) -> bool:
    """Return whether the operation refuses a request without the header. `If-Match` is optional in some."""
    refused = operation["responses"].get("428", {})
    return header != "if-match" or bool(refused)


def _add_problem(responses: dict[str, Any], status: int, code: str, title: str) -> None:
    known: Mapping[str, Any] = responses.get(str(status), {})
    if code in known.get("x-problem-codes", ()):
        return
    added = problems.problem_response([(code, title)])
    if known:
        added["description"] = f"{known['description']}; {added['description']}"
        added["x-problem-codes"] = [*known.get("x-problem-codes", ()), code]
        added["content"] = {**known.get("content", {}), **added["content"]}
    responses[str(status)] = added
