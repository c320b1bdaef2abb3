"""The report of a run: the outcome of every contact that it changed, as JSON or CSV.

The report is streamed, so memory use does not depend on its size. It has ids, tags and names of fields, but no values
of fields.
"""

import csv
import io
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query
from fastapi.responses import StreamingResponse

from app.api import schemas
from app.api.account_access import AccountWithoutSession
from app.api.audience import AudienceBeforehand
from app.api.authentication import CallerDep, while_valid
from app.api.deps import RunId, ServicesDep
from app.api.problems import problems
from app.api.runs import load_run_body, require_run
from app.db.contacts import visible_lines
from app.db.mirror import quarantine
from app.db.mirror.audience import Audience, find_seen
from app.db.runs import run_report, runs
from app.db.runs.runs import Run, RunNotFound
from app.db.session import Session, transaction
from app.rules.scope import NO_NAME_OR_EMAIL
from app.sync.services import Services

router = APIRouter(
    prefix="/v1/accounts/{account_id}/runs/{run_id}/report",
    tags=["runs"],
)

BATCH_SIZE = 500  # rows read in one transaction
MAX_QUARANTINED = 10_000  # rows in the report
# Spreadsheets read a cell that begins so as a formula, also after spaces and signs that cannot be seen, and in some
# languages with wide signs (OWASP, "CSV Injection").
FORMULA_SIGNS = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
INVISIBLE = " \t\r\n\u00a0\u200b\u200c\u200d\u2060\ufeff"
LISTS = ("changed_fields", "tags_added", "tags_removed")
COLUMNS = tuple(schemas.ReportedRecord.model_fields)

Rows = AsyncIterator[dict[str, Any]]


@router.get(
    "",
    dependencies=[Depends(require_run)],
    response_model=schemas.RunReport,
    responses={
        200: {"content": {"text/csv": {"schema": {"type": "string"}}}},
        **problems(RunNotFound),
    },
)
async def get_run_report(
    run_id: RunId,
    account: AccountWithoutSession,
    audience: AudienceBeforehand,
    caller: CallerDep,
    services: ServicesDep,
    form: Annotated[
        Literal["json", "csv"],
        Query(
            alias="format",
            description="The format of the report: `json`, or `csv` for a spreadsheet.",
        ),
    ] = "json",
) -> StreamingResponse:
    """Return every contact that the run changed, the quarantined and held records, and the problems of the run."""
    reported = Reported(services, account.account_id, run_id, audience)
    rows = while_valid(services, caller, _outcomes(reported))
    if form == "csv":
        headers = {"Content-Disposition": f'attachment; filename="{run_id}.csv"'}
        lines = _csv(services, account.account_id, run_id, rows)
        return StreamingResponse(lines, media_type="text/csv; charset=utf-8", headers=headers)
    body = _json(services, account.account_id, run_id, rows)
    return StreamingResponse(body, media_type="application/json")


@dataclass(frozen=True)
class Reported:
    """A run of an account that is reported to an audience."""

    services: Services
    account_id: str
    run_id: str
    audience: Audience

    def session(self) -> AbstractAsyncContextManager[Session]:
        """Open a transaction for one batch."""
        return transaction(self.services.database, self.account_id)


async def _outcomes(of: Reported) -> Rows:
    """Yield the rows of the report. Each batch is read in its own transaction."""
    async for row in _changed_contacts(of):
        yield row
    async for row in _held_contacts(of):
        yield row
    async with of.session() as session:
        quarantined = await quarantine.list_by_run(
            session, of.account_id, of.run_id, of.audience, limit=MAX_QUARANTINED
        )
        run = await runs.get_run(session, of.account_id, of.run_id)
        skipped = run.tally.skipped
        seen = await find_seen(session, of.account_id, of.audience, "contacts", skipped)
    for item in quarantined:
        kind, clio_id = item.resource.removesuffix("s"), str(item.clio_id or "") or None
        yield _row(outcome="quarantined", kind=kind, clio_id=clio_id, detail=item.reason)
    for person in skipped:
        if person in seen:
            yield _row(
                outcome="skipped", kind="contact", clio_id=str(person), detail=NO_NAME_OR_EMAIL
            )
    for problem in run.problems:
        detail = f"{problem['code']}: {problem['detail']}"
        yield _row(outcome="problem", kind="run", detail=detail)


async def _changed_contacts(of: Reported) -> Rows:
    after = 0
    while True:
        async with of.session() as session:
            changes = await run_report.list_changes(
                session, of.account_id, of.run_id, after=after, limit=BATCH_SIZE
            )
            lines = await visible_lines.limit_lines(
                session, of.account_id, of.audience, [change.body for change in changes]
            )
        for line in lines:
            yield _change_row(line)
        if len(changes) < BATCH_SIZE:
            return
        after = changes[-1].seq


async def _held_contacts(of: Reported) -> Rows:
    after = 0
    while True:
        async with of.session() as session:
            held = await run_report.list_held_contacts(
                session, of.account_id, of.run_id, of.audience, after=after, limit=BATCH_SIZE
            )
        for clio_id in held:
            yield _row(outcome="held", kind="contact", clio_id=str(clio_id), detail="shrink_held")
            after = clio_id
        if len(held) < BATCH_SIZE:
            return


def _change_row(body: Mapping[str, Any]) -> dict[str, Any]:
    """Return one line of the change feed as a row of the report."""
    contact, owner = body.get("contact") or {}, body.get("owner")
    return _row(
        outcome=body["kind"].removeprefix("contact."),
        kind="contact",
        contact_id=body["contact_id"],
        clio_id=body["clio_id"],
        changed_fields=sorted(body["fields"]),
        tags_added=body["tags_added"],
        tags_removed=body["tags_removed"],
        owner=owner["to"] if owner else None,
        detail=contact.get("state_reason"),
    )


def _row(**known: Any) -> dict[str, Any]:
    """Return a row of the report; columns that are not given are empty."""
    empty: dict[str, Any] = {name: [] if name in LISTS else None for name in COLUMNS}
    return {**empty, **known}


async def _json(services: Services, account_id: str, run_id: str, rows: Rows) -> AsyncIterator[str]:
    async with transaction(services.database, account_id) as session:
        run = await runs.get_run(session, account_id, run_id)
        head = await load_run_body(session, run, now=services.now())
    noted = _noted(run).model_dump_json()
    yield f'{{"run":{head.model_dump_json()},"noted":{noted},"outcomes":['
    comma = ""
    async for row in rows:
        yield comma + json.dumps(row)
        comma = ","
    yield "]}"


def _noted(run: Run) -> schemas.RunNotes:
    return schemas.RunNotes(
        **{name: getattr(run.tally, name) for name in schemas.RunNotes.model_fields}
    )


async def _csv(services: Services, account_id: str, run_id: str, rows: Rows) -> AsyncIterator[str]:
    yield _csv_line(list(COLUMNS))
    async for row in rows:
        yield _csv_line([_cell(row[name]) for name in COLUMNS])
    async with transaction(services.database, account_id) as session:
        run = await runs.get_run(session, account_id, run_id)
    for name, count in _noted(run):
        row = _row(outcome="count", kind="run", detail=f"{name}: {count}")
        yield _csv_line([_cell(row[name]) for name in COLUMNS])


def _csv_line(cells: list[str]) -> str:
    buffer = io.StringIO()
    csv.writer(buffer).writerow(cells)
    return buffer.getvalue()


def _cell(value: Any) -> str:
    """Return a cell's text, with an apostrophe in front if a spreadsheet would read it as a formula [T11]."""
    text = "; ".join(value) if isinstance(value, list) else "" if value is None else str(value)
    begins = text.lstrip(INVISIBLE).startswith(FORMULA_SIGNS)
    return f"'{text}" if begins or text.startswith(FORMULA_SIGNS) else text
