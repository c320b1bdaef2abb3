"""The operations of the group `runs`: one class for `Clio`, one for `AsyncClio`."""

import datetime

from levitate_clio._call import AsyncSender, Sender

from ...models.get_run_report_format import GetRunReportFormat
from ...models.list_runs_kind import ListRunsKind
from ...models.list_runs_order import ListRunsOrder
from ...models.list_runs_status import ListRunsStatus
from ...models.list_runs_trigger import ListRunsTrigger
from ...models.run import Run
from ...models.run_in import RunIn
from ...models.run_page import RunPage
from ...models.run_report import RunReport
from ...types import UNSET, Unset
from . import cancel_run as _cancel_run
from . import create_run as _create_run
from . import get_run as _get_run
from . import get_run_report as _get_run_report
from . import list_runs as _list_runs


class RunsOperations:
    """The operations of the group `runs`."""

    def __init__(self, sender: Sender) -> None:
        self._sender = sender

    def list_runs(
        self,
        account_id: str,
        *,
        cursor: str | Unset = UNSET,
        limit: int | Unset = UNSET,
        order: ListRunsOrder | Unset = UNSET,
        since: datetime.datetime | Unset = UNSET,
        until: datetime.datetime | Unset = UNSET,
        count: bool | Unset = UNSET,
        status: ListRunsStatus | Unset = UNSET,
        kind: ListRunsKind | Unset = UNSET,
        trigger: ListRunsTrigger | Unset = UNSET,
    ) -> RunPage:
        """Return the account's runs. Their time is `queued_at`.

        Args:
            account_id: Levitate's id of the account.
            cursor: `next_cursor` of the previous page. Leave it out for the first page.
            limit: The maximum number of items, 1 to 200.
            order: `newest` or `oldest` first, by the time of the items. Without it the list is sorted
                by id.
            since: Only items of this time or later (RFC 3339 with an offset).
            until: Only items before this time (RFC 3339 with an offset).
            count: Add `total`: how many items all pages of this list have together.
            status: Only runs with this status.
            kind: Only runs of this kind.
            trigger: Only runs with this cause.

        Raises:
            ApiError: The service refused. Its class says what to do next.
        """

        return self._sender.call(
            _list_runs.build(
                account_id=account_id,
                cursor=cursor,
                limit=limit,
                order=order,
                since=since,
                until=until,
                count=count,
                status=status,
                kind=kind,
                trigger=trigger,
            )
        )

    def create_run(
        self,
        account_id: str,
        *,
        body: RunIn,
        idempotency_key: str | Unset = UNSET,
    ) -> Run:
        """Request a run. If a queued or running one already does the same, it is returned; if not, a
        new one is queued.

        The same key and body get the same answer again, which is older then: read the run at
        `Location`. If the request named a contact that was erased since, they get 410.

        Args:
            account_id: Levitate's id of the account.
            idempotency_key: A string of your choice that is new for each new request.
            body: A request for a run.

        Raises:
            ApiError: The service refused. Its class says what to do next.
        """

        return self._sender.call(
            _create_run.build(
                account_id=account_id,
                body=body,
                idempotency_key=idempotency_key,
            )
        )

    def cancel_run(
        self,
        account_id: str,
        run_id: str,
    ) -> Run:
        """End a run now. What it has read is kept, and a later run continues from there.

        Args:
            account_id: Levitate's id of the account.
            run_id: The id of the run (`run_…`).

        Raises:
            ApiError: The service refused. Its class says what to do next.
        """

        return self._sender.call(
            _cancel_run.build(
                account_id=account_id,
                run_id=run_id,
            )
        )

    def get_run(
        self,
        account_id: str,
        run_id: str,
    ) -> Run:
        """Return one run with its progress.

        Args:
            account_id: Levitate's id of the account.
            run_id: The id of the run (`run_…`).

        Raises:
            ApiError: The service refused. Its class says what to do next.
        """

        return self._sender.call(
            _get_run.build(
                account_id=account_id,
                run_id=run_id,
            )
        )

    def get_run_report(
        self,
        account_id: str,
        run_id: str,
        *,
        format_: GetRunReportFormat | Unset = UNSET,
    ) -> RunReport:
        """Return every contact that the run changed, the quarantined and held records, and the
        problems of the run.

        Args:
            account_id: Levitate's id of the account.
            run_id: The id of the run (`run_…`).
            format_: The format of the report: `json`, or `csv` for a spreadsheet.

        Raises:
            ApiError: The service refused. Its class says what to do next.
        """

        return self._sender.call(
            _get_run_report.build(
                account_id=account_id,
                run_id=run_id,
                format_=format_,
            )
        )


class AsyncRunsOperations:
    """The operations of the group `runs`."""

    def __init__(self, sender: AsyncSender) -> None:
        self._sender = sender

    async def list_runs(
        self,
        account_id: str,
        *,
        cursor: str | Unset = UNSET,
        limit: int | Unset = UNSET,
        order: ListRunsOrder | Unset = UNSET,
        since: datetime.datetime | Unset = UNSET,
        until: datetime.datetime | Unset = UNSET,
        count: bool | Unset = UNSET,
        status: ListRunsStatus | Unset = UNSET,
        kind: ListRunsKind | Unset = UNSET,
        trigger: ListRunsTrigger | Unset = UNSET,
    ) -> RunPage:
        """Return the account's runs. Their time is `queued_at`.

        Args:
            account_id: Levitate's id of the account.
            cursor: `next_cursor` of the previous page. Leave it out for the first page.
            limit: The maximum number of items, 1 to 200.
            order: `newest` or `oldest` first, by the time of the items. Without it the list is sorted
                by id.
            since: Only items of this time or later (RFC 3339 with an offset).
            until: Only items before this time (RFC 3339 with an offset).
            count: Add `total`: how many items all pages of this list have together.
            status: Only runs with this status.
            kind: Only runs of this kind.
            trigger: Only runs with this cause.

        Raises:
            ApiError: The service refused. Its class says what to do next.
        """

        return await self._sender.call(
            _list_runs.build(
                account_id=account_id,
                cursor=cursor,
                limit=limit,
                order=order,
                since=since,
                until=until,
                count=count,
                status=status,
                kind=kind,
                trigger=trigger,
            )
        )

    async def create_run(
        self,
        account_id: str,
        *,
        body: RunIn,
        idempotency_key: str | Unset = UNSET,
    ) -> Run:
        """Request a run. If a queued or running one already does the same, it is returned; if not, a
        new one is queued.

        The same key and body get the same answer again, which is older then: read the run at
        `Location`. If the request named a contact that was erased since, they get 410.

        Args:
            account_id: Levitate's id of the account.
            idempotency_key: A string of your choice that is new for each new request.
            body: A request for a run.

        Raises:
            ApiError: The service refused. Its class says what to do next.
        """

        return await self._sender.call(
            _create_run.build(
                account_id=account_id,
                body=body,
                idempotency_key=idempotency_key,
            )
        )

    async def cancel_run(
        self,
        account_id: str,
        run_id: str,
    ) -> Run:
        """End a run now. What it has read is kept, and a later run continues from there.

        Args:
            account_id: Levitate's id of the account.
            run_id: The id of the run (`run_…`).

        Raises:
            ApiError: The service refused. Its class says what to do next.
        """

        return await self._sender.call(
            _cancel_run.build(
                account_id=account_id,
                run_id=run_id,
            )
        )

    async def get_run(
        self,
        account_id: str,
        run_id: str,
    ) -> Run:
        """Return one run with its progress.

        Args:
            account_id: Levitate's id of the account.
            run_id: The id of the run (`run_…`).

        Raises:
            ApiError: The service refused. Its class says what to do next.
        """

        return await self._sender.call(
            _get_run.build(
                account_id=account_id,
                run_id=run_id,
            )
        )

    async def get_run_report(
        self,
        account_id: str,
        run_id: str,
        *,
        format_: GetRunReportFormat | Unset = UNSET,
    ) -> RunReport:
        """Return every contact that the run changed, the quarantined and held records, and the
        problems of the run.

        Args:
            account_id: Levitate's id of the account.
            run_id: The id of the run (`run_…`).
            format_: The format of the report: `json`, or `csv` for a spreadsheet.

        Raises:
            ApiError: The service refused. Its class says what to do next.
        """

        return await self._sender.call(
            _get_run_report.build(
                account_id=account_id,
                run_id=run_id,
                format_=format_,
            )
        )
