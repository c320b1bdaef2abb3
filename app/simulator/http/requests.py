"""Calls of the API: what a request names and asks for, the single record behind it, and writes."""

import re
from dataclasses import dataclass
from urllib.parse import parse_qs

from fastapi import Request, Response

from app.simulator.faults.faults import Fault
from app.simulator.http import responses
from app.simulator.http.oauth import Grant
from app.simulator.http.responses import Refused
from app.simulator.store import field_selection
from app.simulator.store.filters import ArgumentRefused
from app.simulator.store.firm import Record
from app.simulator.store.listing import LISTS, ListRule
from app.simulator.store.writes import WRITES, Writing

Params = dict[str, list[str]]
_PATH = re.compile(r"/api/v4/(?P<list>[a-z_]+)(/(?P<id>\d+|who_am_i))?(\.json)?")


@dataclass(frozen=True)
class Call:
    """A call of the API, understood: whose it is, what it names, and what it asks to be told."""

    request: Request
    grant: Grant
    name: str
    rule: ListRule
    record_id: int | None
    params: Params
    selection: field_selection.Selection

    def told(self, record: Record) -> Record:
        """A record as the caller gets it."""
        firm, user_id = self.grant.firm, self.grant.user_id
        return field_selection.render(firm, user_id, self.rule.kind, record, self.selection)

    def record(self) -> Record:
        """The single record that is named, if the caller may see it."""
        firm, kind = self.grant.firm, self.rule.kind
        found = firm.find(kind, self.record_id)
        if found is None or not firm.sees(self.grant.user_id, kind, found["id"]):
            raise Refused(404, "RecordNotFound", "The requested record could not be found")
        return found


def understood(request: Request, grant: Grant, fault: Fault | None) -> Call:
    """The call behind a request; raises what refuses it."""
    found = _PATH.fullmatch(request.url.path)
    rule = LISTS.get(found["list"]) if found else None
    if found is None or rule is None:
        raise Refused(404, "RecordNotFound", "Not found")
    name, named = found["list"], found["id"]
    if named == "who_am_i" and name != "users":
        raise Refused(404, "RecordNotFound", "Not found")
    if rule.kind == "custom_field" and grant.user_id in grant.firm.fields_unreadable:
        raise Refused(403, "ForbiddenError", responses.FORBIDDEN)
    params = parse_qs(request.url.query, keep_blank_values=True)
    if named or request.method != "GET":
        _check_single(rule, params)
    gone = frozenset({fault.value} if fault and fault.effect == "unknown_field" else ())
    selection = field_selection.parse(rule.kind, params.get("fields", [None])[0], gone=gone)
    record_id = grant.user_id if named == "who_am_i" else int(named) if named else None
    return Call(request, grant, name, rule, record_id, params, selection)


def _check_single(rule: ListRule, params: Params) -> None:
    """A single record takes one parameter; Clio takes another, which is not simulated."""
    for name in params.keys() - {"fields"}:
        if name in rule.refused:
            raise ArgumentRefused(f"{name} is a filter of Clio's that is not simulated")
        raise ArgumentRefused(f"{name} is not a valid argument")


async def written(call: Call) -> Response:
    """A write, if there is such a write and the app may do it."""
    method = call.request.method
    write = WRITES.get((method, call.name))
    if write is None or call.name not in call.grant.app.writes:
        raise Refused(403, "ForbiddenError", responses.FORBIDDEN)
    if (method == "POST") is not (call.record_id is None):
        raise Refused(404, "RecordNotFound", "Not found")
    if call.record_id is not None and not responses.may_change(call.record(), call.request.headers):
        raise Refused(412, "PreconditionFailed", "The record was changed by somebody else")
    data = {} if method == "DELETE" else await _data(call.request)
    record = write(Writing(call.grant.firm, call.grant.user_id, call.record_id, data))
    if record is None:
        return Response(status_code=204)
    status = 201 if method == "POST" else 200
    return responses.stamped(responses.Json({"data": call.told(record)}, status), record)


async def _data(request: Request) -> Record:
    try:
        body = await request.json()
    except ValueError as error:
        raise ArgumentRefused("The body is not JSON") from error
    data = body.get("data") if isinstance(body, dict) else None
    if not isinstance(data, dict):
        raise ArgumentRefused("The body has no data")
    return data
