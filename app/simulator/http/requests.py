"""Requests to the API: parsing, the record that a request names, and writes."""

import json
import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs

from fastapi import Request, Response

from app.simulator.faults import apply
from app.simulator.faults.faults import Fault, Faults
from app.simulator.http import responses
from app.simulator.http.oauth import Grant
from app.simulator.store import field_selection
from app.simulator.store.firm import Record
from app.simulator.store.listing import LISTS, ListSpec
from app.simulator.store.refusals import InvalidArgument, Refusal, forbidden, not_found
from app.simulator.store.writes import WRITES, Write, WriteRequest

Params = dict[str, list[str]]
_PATH = re.compile(r"/api/v4/(?P<list>[a-z_]+)(/(?P<id>\d+|who_am_i))?(\.json)?")


@dataclass(frozen=True)
class ApiRequest:
    """A parsed request: the caller, the list or record it names, its parameters and selected fields."""

    request: Request
    grant: Grant
    name: str
    spec: ListSpec
    record_id: int | None
    params: Params
    selection: field_selection.Selection

    def render(self, record: Record) -> Record:
        """Return a record as the caller may see it, with the selected fields."""
        firm, user_id = self.grant.firm, self.grant.user_id
        return field_selection.render(firm, user_id, self.spec.kind, record, self.selection)

    def record(self) -> Record:
        """Return the record that the request names; raises Refusal if the caller cannot see it."""
        firm, kind = self.grant.firm, self.spec.kind
        found = firm.find(kind, self.record_id)
        if found is None or not firm.sees(self.grant.user_id, kind, found["id"]):
            raise not_found()
        return found


def parse(request: Request, grant: Grant, fault: Fault | None) -> ApiRequest:
    """Parse a request; raises Refusal."""
    match = _PATH.fullmatch(request.url.path)
    spec = LISTS.get(match["list"]) if match else None
    if match is None or spec is None:
        raise not_found("Not found")
    name, record_name = match["list"], match["id"]
    if (record_name == "who_am_i" and name != "users") or (record_name and not spec.has_single):
        raise not_found("Not found")
    if spec.kind == "custom_field" and grant.user_id in grant.firm.fields_unreadable:
        raise forbidden()
    params = _params(request.url.query)
    if record_name or request.method != "GET":
        _check_single(spec, params)
    removed = frozenset({fault.value} if fault and fault.effect == "unknown_field" else ())
    selection = field_selection.parse(spec.kind, params.get("fields", [None])[0], removed=removed)
    record_id = (
        grant.user_id if record_name == "who_am_i" else int(record_name) if record_name else None
    )
    return ApiRequest(request, grant, name, spec, record_id, params, selection)


def _params(query: str) -> Params:
    """Return the parameters of a query. As in Clio, the last of a repeated one counts, unless it is an array."""
    found = parse_qs(query, keep_blank_values=True)
    return {name: given if name.endswith("[]") else given[-1:] for name, given in found.items()}


def _check_single(spec: ListSpec, params: Params) -> None:
    """A single record accepts `fields` only; another parameter of Clio's is not simulated."""
    for name in params.keys() - {"fields"}:
        if name in spec.not_simulated:
            raise InvalidArgument(f"{name} is a filter of Clio's that is not simulated")
        raise InvalidArgument(f"{name} is not a valid argument")


async def handle_write(call: ApiRequest, faults: Faults) -> Response:
    """Perform a write and return the response; raises Refusal."""
    write = WRITES.get((call.request.method, call.name))
    if write is None or call.name not in call.grant.app.writes:
        raise forbidden()
    body = await call.request.body()
    fault = faults.match_write(call.request.url.path)
    return await apply.write(faults, fault, lambda: _perform(call, write, body))


def _perform(call: ApiRequest, write: Write, body: bytes) -> Response:
    method, headers = call.request.method, call.request.headers
    if (method == "POST") is not (call.record_id is None):
        raise not_found("Not found")
    if call.record_id is not None and not responses.may_change(call.record(), headers):
        raise Refusal(412, "PreconditionFailed", "The record was changed by somebody else")
    data = {} if method == "DELETE" else parse_data(headers.get("content-type", ""), body)
    record = write(WriteRequest(call.grant.firm, call.grant.user_id, call.record_id, data))
    if record is None:
        return Response(status_code=204)
    call.request.state.record_id = record["id"]
    status = 201 if method == "POST" else 200
    return responses.with_etag(responses.Json({"data": call.render(record)}, status), record)


def parse_data(content_type: str, body: bytes) -> dict[str, Any]:
    """Return the `data` of a JSON body; raises InvalidArgument."""
    if not content_type.startswith("application/json"):
        raise InvalidArgument("The body must be JSON")
    try:
        document = json.loads(body)
    except ValueError as error:
        raise InvalidArgument("The body is not JSON") from error
    data = document.get("data") if isinstance(document, dict) else None
    if not isinstance(data, dict) or set(document) != {"data"}:
        raise InvalidArgument("The body must be an object that contains `data` only")
    return data
