"""Where papers are written and read: the endpoints of notes and communications, and the bad days of writing.

A bad day strikes writes alone, so that the search which follows a lost answer is not hit by it.
"""

import asyncio
import json
import re
from dataclasses import dataclass, field
from typing import Any, Literal
from urllib.parse import parse_qs

from fastapi import Request, Response
from fastapi.responses import HTMLResponse, JSONResponse

from app.simulator.store.communications import COMMUNICATIONS
from app.simulator.store.firm import Record, etag
from app.simulator.store.notes import NOTES
from app.simulator.store.papers import PaperRule, Refused, check_change, check_new
from app.simulator.store.shelf import Desk, Selection, Shelf, listed, seen, select, shown

RULES = {"notes": NOTES, "communications": COMMUNICATIONS}
PATH = re.compile(r"/api/v4/(?P<list>notes|communications)(/(?P<id>\d+))?(\.json)?")

Effect = Literal[
    "lost",  # write, then break off in the middle of the answer
    "bad_gateway",  # write, then answer 502
    "slow",  # write, then answer after `value` seconds
    "late",  # answer 504 at once and write `value` seconds later
    "unwritten",  # answer 503 and write nothing
]


@dataclass
class WriteFault:
    """One bad day of writing. It spares the first `skip` matching writes and then hits `times` of them."""

    effect: Effect
    path: str = "."
    times: int = 1
    skip: int = 0
    value: str = "0"

    def strikes(self, path: str) -> bool:
        """Whether it hits this write; counts it."""
        if not re.search(self.path, path) or self.times <= 0:
            return False
        if self.skip:
            self.skip -= 1
            return False
        self.times -= 1
        return True


@dataclass
class Writings:
    """All that was written, and the bad days that are on."""

    shelf: Shelf = field(default_factory=Shelf)
    faults: list[WriteFault] = field(default_factory=list)
    late: set[asyncio.Task[None]] = field(default_factory=set)

    def of(self, name: str) -> list[Record]:
        """All papers of a kind, by id."""
        return self.shelf.of(name)

    def strike(self, path: str) -> WriteFault | None:
        """The fault that hits this write, if one does."""
        return next((fault for fault in self.faults if fault.strikes(path)), None)


@dataclass(frozen=True)
class Write:
    """A write as it came."""

    desk: Desk
    rule: PaperRule
    paper_id: str | None
    selection: Selection
    request: Request
    body: bytes


async def answer(writings: Writings, desk: Desk, request: Request) -> Response:
    """The answer to any call of notes and communications."""
    found = PATH.fullmatch(request.url.path)
    assert found is not None  # noqa: S101  # the caller matched it
    rule, paper_id = RULES[found["list"]], found["id"]
    params = parse_qs(request.url.query, keep_blank_values=True)
    try:
        selection = select(rule, params.get("fields", [""])[0])
        if request.method != "GET":
            write = Write(desk, rule, paper_id, selection, request, await request.body())
            fault = writings.strike(request.url.path)
            return await _struck(writings, fault, write) if fault else _written(write)
        if paper_id is not None:
            record = seen(desk, rule, int(paper_id))
            single = {"data": shown(desk, rule, record, selection)}
            return JSONResponse(single, headers={"ETag": record["etag"]})
        body, following = listed(desk, rule, selection, params)
        if following:
            body["meta"]["paging"]["next"] = str(
                request.url.include_query_params(page_token=following)
            )
        return JSONResponse(body)
    except Refused as refusal:
        error = {"type": refusal.kind, "message": str(refusal)}
        return JSONResponse({"error": error}, status_code=refusal.status)


async def _struck(writings: Writings, fault: WriteFault, write: Write) -> Response:
    """A write on a bad day."""
    if fault.effect == "unwritten":
        return HTMLResponse("<h1>Unavailable</h1>", status_code=503)
    if fault.effect == "late":

        async def later() -> None:
            await asyncio.sleep(float(fault.value))
            _written(write)

        task = asyncio.get_running_loop().create_task(later())
        writings.late.add(task)
        task.add_done_callback(writings.late.discard)
        return HTMLResponse("<h1>Gateway timeout</h1>", status_code=504)
    written = _written(write)
    if fault.effect == "bad_gateway":
        return HTMLResponse("<h1>Bad gateway</h1>", status_code=502)
    if fault.effect == "slow":
        await asyncio.sleep(float(fault.value))
        return written
    written.body = written.body[: len(written.body) // 2]  # its length still promises more
    return written


def _written(write: Write) -> Response:
    desk, rule, method = write.desk, write.rule, write.request.method
    if (method, write.paper_id) == ("POST", None):
        made = check_new(rule, desk.firm, desk.user_id, _data(write))
        new_id, stamp = desk.shelf.new_id(), desk.now.isoformat(timespec="seconds")
        record = {**made, "id": new_id, "author": desk.user_id, "created_at": stamp}
        return JSONResponse({"data": _kept(write, record)}, 201)
    if method not in ("PATCH", "DELETE") or write.paper_id is None:
        raise Refused(404, "Not found")
    known = seen(desk, rule, int(write.paper_id))
    if method == "DELETE":
        del desk.shelf.papers[rule.name, known["id"]]
        return Response(status_code=204)
    if write.request.headers.get("if-match") not in (None, known["etag"]):
        raise Refused(412, "The record has changed")
    changes = check_change(rule, desk.firm, desk.user_id, _data(write))
    return JSONResponse({"data": _kept(write, {**known, **changes})})


def _data(write: Write) -> Any:
    if not write.request.headers.get("content-type", "").startswith("application/json"):
        raise Refused(400, "The body must be JSON")
    try:
        document = json.loads(write.body)
    except ValueError as error:
        raise Refused(400, "The body is not JSON") from error
    if not isinstance(document, dict) or set(document) != {"data"}:
        raise Refused(422, "The body must be wrapped in data")
    return document["data"]


def _kept(write: Write, record: Record) -> Record:
    """Keep a paper; answers what was asked of it."""
    desk, rule = write.desk, write.rule
    stamp = desk.now.isoformat(timespec="seconds")
    tag = etag(rule.name, record["id"], f"{stamp}/{json.dumps(record, sort_keys=True)}")
    kept = {**record, "updated_at": stamp, "etag": tag, "firm": id(desk.firm)}
    desk.shelf.papers[rule.name, record["id"]] = kept
    return shown(desk, rule, kept, write.selection)
