"""The operations of the group `issues`: one class for `Clio`, one for `AsyncClio`."""

import datetime

from levitate_clio._call import AsyncSender, Sender

from ...models.hold import Hold
from ...models.hold_decision import HoldDecision
from ...models.hold_item_page import HoldItemPage
from ...models.hold_page import HoldPage
from ...models.issue import Issue
from ...models.issue_page import IssuePage
from ...models.list_holds_order import ListHoldsOrder
from ...models.list_holds_status import ListHoldsStatus
from ...models.list_issues_order import ListIssuesOrder
from ...models.list_issues_severity import ListIssuesSeverity
from ...models.list_issues_status import ListIssuesStatus
from ...models.release_decision import ReleaseDecision
from ...types import UNSET, Unset
from . import discard_hold as _discard_hold
from . import list_hold_items as _list_hold_items
from . import list_holds as _list_holds
from . import list_issues as _list_issues
from . import release_hold as _release_hold
from . import resolve_issue as _resolve_issue


class IssuesOperations:
    """The operations of the group `issues`."""

    def __init__(self, sender: Sender) -> None:
        self._sender = sender

    def list_issues(
        self,
        account_id: str,
        *,
        status: ListIssuesStatus | Unset = UNSET,
        cursor: str | Unset = UNSET,
        limit: int | Unset = UNSET,
        order: ListIssuesOrder | Unset = UNSET,
        since: datetime.datetime | Unset = UNSET,
        until: datetime.datetime | Unset = UNSET,
        count: bool | Unset = UNSET,
        code: str | Unset = UNSET,
        severity: ListIssuesSeverity | Unset = UNSET,
    ) -> IssuePage:
        """Return the account's issues, open and resolved ones unless `status` is given. Their time is
        `opened_at`.

        Args:
            account_id: Levitate's id of the account.
            status: Only open or only resolved issues.
            cursor: `next_cursor` of the previous page. Leave it out for the first page.
            limit: The maximum number of items, 1 to 200.
            order: `newest` or `oldest` first, by the time of the items. Without it the list is sorted
                by id.
            since: Only items of this time or later (RFC 3339 with an offset).
            until: Only items before this time (RFC 3339 with an offset).
            count: Add `total`: how many items all pages of this list have together.
            code: Only issues with this code.
            severity: Only issues of this severity.

        Raises:
            ApiError: The service refused. Its class says what to do next.
        """

        return self._sender.call(
            _list_issues.build(
                account_id=account_id,
                status=status,
                cursor=cursor,
                limit=limit,
                order=order,
                since=since,
                until=until,
                count=count,
                code=code,
                severity=severity,
            )
        )

    def resolve_issue(
        self,
        account_id: str,
        issue_id: str,
    ) -> Issue:
        """Mark an issue as resolved. If its cause is found again, a new issue is opened.

        Args:
            account_id: Levitate's id of the account.
            issue_id: The id of the issue (`iss_…`).

        Raises:
            ApiError: The service refused. Its class says what to do next.
        """

        return self._sender.call(
            _resolve_issue.build(
                account_id=account_id,
                issue_id=issue_id,
            )
        )

    def list_holds(
        self,
        account_id: str,
        *,
        status: ListHoldsStatus | Unset = UNSET,
        cursor: str | Unset = UNSET,
        limit: int | Unset = UNSET,
        order: ListHoldsOrder | Unset = UNSET,
        since: datetime.datetime | Unset = UNSET,
        until: datetime.datetime | Unset = UNSET,
        count: bool | Unset = UNSET,
    ) -> HoldPage:
        """Return the holds: removals and announcements that wait for a person's decision, and those
        already decided.

        Their time is `opened_at`.

        Args:
            account_id: Levitate's id of the account.
            status: Only holds with this status.
            cursor: `next_cursor` of the previous page. Leave it out for the first page.
            limit: The maximum number of items, 1 to 200.
            order: `newest` or `oldest` first, by the time of the items. Without it the list is sorted
                by id.
            since: Only items of this time or later (RFC 3339 with an offset).
            until: Only items before this time (RFC 3339 with an offset).
            count: Add `total`: how many items all pages of this list have together.

        Raises:
            ApiError: The service refused. Its class says what to do next.
        """

        return self._sender.call(
            _list_holds.build(
                account_id=account_id,
                status=status,
                cursor=cursor,
                limit=limit,
                order=order,
                since=since,
                until=until,
                count=count,
            )
        )

    def list_hold_items(
        self,
        account_id: str,
        hold_id: str,
        *,
        cursor: str | Unset = UNSET,
        limit: int | Unset = UNSET,
    ) -> HoldItemPage:
        """Return who waits in the hold, and the change of each, ordered by Clio's id. Decided items
        are not listed.

        Args:
            account_id: Levitate's id of the account.
            hold_id: The id of the hold (`hld_…`).
            cursor: `next_cursor` of the previous page. Leave it out for the first page.
            limit: The maximum number of items, 1 to 200.

        Raises:
            ApiError: The service refused. Its class says what to do next.
        """

        return self._sender.call(
            _list_hold_items.build(
                account_id=account_id,
                hold_id=hold_id,
                cursor=cursor,
                limit=limit,
            )
        )

    def release_hold(
        self,
        account_id: str,
        hold_id: str,
        *,
        body: ReleaseDecision | Unset = UNSET,
    ) -> Hold:
        """Carry out what waits: new clients are announced at once, everything else is done by a run
        that starts now.

        The run does not read Clio. The set is fixed now: what is found later is not decided by
        this. Of more than 500 items the rest follow within a minute. If the body names items, the
        others wait on. The review of a first publication lasts until a release without `ids`.

        Args:
            account_id: Levitate's id of the account.
            hold_id: The id of the hold (`hld_…`).
            body: A release of some items of a hold, with the choice for the new clients of a first
                publication.

        Raises:
            ApiError: The service refused. Its class says what to do next.
        """

        return self._sender.call(
            _release_hold.build(
                account_id=account_id,
                hold_id=hold_id,
                body=body,
            )
        )

    def discard_hold(
        self,
        account_id: str,
        hold_id: str,
        *,
        body: HoldDecision | Unset = UNSET,
    ) -> Hold:
        """Cancel what waits: the contacts stay as they are until they change in Clio; new clients are
        not announced.

        The set is fixed now. Of more than 500 items the rest follow within a minute. If the body
        names items, the others wait on. A first publication can only be discarded as a whole:
        nobody is published, and the next successful run opens another hold of it.

        Args:
            account_id: Levitate's id of the account.
            hold_id: The id of the hold (`hld_…`).
            body: A decision about some items of a hold. Without a body it is about the whole hold.

        Raises:
            ApiError: The service refused. Its class says what to do next.
        """

        return self._sender.call(
            _discard_hold.build(
                account_id=account_id,
                hold_id=hold_id,
                body=body,
            )
        )


class AsyncIssuesOperations:
    """The operations of the group `issues`."""

    def __init__(self, sender: AsyncSender) -> None:
        self._sender = sender

    async def list_issues(
        self,
        account_id: str,
        *,
        status: ListIssuesStatus | Unset = UNSET,
        cursor: str | Unset = UNSET,
        limit: int | Unset = UNSET,
        order: ListIssuesOrder | Unset = UNSET,
        since: datetime.datetime | Unset = UNSET,
        until: datetime.datetime | Unset = UNSET,
        count: bool | Unset = UNSET,
        code: str | Unset = UNSET,
        severity: ListIssuesSeverity | Unset = UNSET,
    ) -> IssuePage:
        """Return the account's issues, open and resolved ones unless `status` is given. Their time is
        `opened_at`.

        Args:
            account_id: Levitate's id of the account.
            status: Only open or only resolved issues.
            cursor: `next_cursor` of the previous page. Leave it out for the first page.
            limit: The maximum number of items, 1 to 200.
            order: `newest` or `oldest` first, by the time of the items. Without it the list is sorted
                by id.
            since: Only items of this time or later (RFC 3339 with an offset).
            until: Only items before this time (RFC 3339 with an offset).
            count: Add `total`: how many items all pages of this list have together.
            code: Only issues with this code.
            severity: Only issues of this severity.

        Raises:
            ApiError: The service refused. Its class says what to do next.
        """

        return await self._sender.call(
            _list_issues.build(
                account_id=account_id,
                status=status,
                cursor=cursor,
                limit=limit,
                order=order,
                since=since,
                until=until,
                count=count,
                code=code,
                severity=severity,
            )
        )

    async def resolve_issue(
        self,
        account_id: str,
        issue_id: str,
    ) -> Issue:
        """Mark an issue as resolved. If its cause is found again, a new issue is opened.

        Args:
            account_id: Levitate's id of the account.
            issue_id: The id of the issue (`iss_…`).

        Raises:
            ApiError: The service refused. Its class says what to do next.
        """

        return await self._sender.call(
            _resolve_issue.build(
                account_id=account_id,
                issue_id=issue_id,
            )
        )

    async def list_holds(
        self,
        account_id: str,
        *,
        status: ListHoldsStatus | Unset = UNSET,
        cursor: str | Unset = UNSET,
        limit: int | Unset = UNSET,
        order: ListHoldsOrder | Unset = UNSET,
        since: datetime.datetime | Unset = UNSET,
        until: datetime.datetime | Unset = UNSET,
        count: bool | Unset = UNSET,
    ) -> HoldPage:
        """Return the holds: removals and announcements that wait for a person's decision, and those
        already decided.

        Their time is `opened_at`.

        Args:
            account_id: Levitate's id of the account.
            status: Only holds with this status.
            cursor: `next_cursor` of the previous page. Leave it out for the first page.
            limit: The maximum number of items, 1 to 200.
            order: `newest` or `oldest` first, by the time of the items. Without it the list is sorted
                by id.
            since: Only items of this time or later (RFC 3339 with an offset).
            until: Only items before this time (RFC 3339 with an offset).
            count: Add `total`: how many items all pages of this list have together.

        Raises:
            ApiError: The service refused. Its class says what to do next.
        """

        return await self._sender.call(
            _list_holds.build(
                account_id=account_id,
                status=status,
                cursor=cursor,
                limit=limit,
                order=order,
                since=since,
                until=until,
                count=count,
            )
        )

    async def list_hold_items(
        self,
        account_id: str,
        hold_id: str,
        *,
        cursor: str | Unset = UNSET,
        limit: int | Unset = UNSET,
    ) -> HoldItemPage:
        """Return who waits in the hold, and the change of each, ordered by Clio's id. Decided items
        are not listed.

        Args:
            account_id: Levitate's id of the account.
            hold_id: The id of the hold (`hld_…`).
            cursor: `next_cursor` of the previous page. Leave it out for the first page.
            limit: The maximum number of items, 1 to 200.

        Raises:
            ApiError: The service refused. Its class says what to do next.
        """

        return await self._sender.call(
            _list_hold_items.build(
                account_id=account_id,
                hold_id=hold_id,
                cursor=cursor,
                limit=limit,
            )
        )

    async def release_hold(
        self,
        account_id: str,
        hold_id: str,
        *,
        body: ReleaseDecision | Unset = UNSET,
    ) -> Hold:
        """Carry out what waits: new clients are announced at once, everything else is done by a run
        that starts now.

        The run does not read Clio. The set is fixed now: what is found later is not decided by
        this. Of more than 500 items the rest follow within a minute. If the body names items, the
        others wait on. The review of a first publication lasts until a release without `ids`.

        Args:
            account_id: Levitate's id of the account.
            hold_id: The id of the hold (`hld_…`).
            body: A release of some items of a hold, with the choice for the new clients of a first
                publication.

        Raises:
            ApiError: The service refused. Its class says what to do next.
        """

        return await self._sender.call(
            _release_hold.build(
                account_id=account_id,
                hold_id=hold_id,
                body=body,
            )
        )

    async def discard_hold(
        self,
        account_id: str,
        hold_id: str,
        *,
        body: HoldDecision | Unset = UNSET,
    ) -> Hold:
        """Cancel what waits: the contacts stay as they are until they change in Clio; new clients are
        not announced.

        The set is fixed now. Of more than 500 items the rest follow within a minute. If the body
        names items, the others wait on. A first publication can only be discarded as a whole:
        nobody is published, and the next successful run opens another hold of it.

        Args:
            account_id: Levitate's id of the account.
            hold_id: The id of the hold (`hld_…`).
            body: A decision about some items of a hold. Without a body it is about the whole hold.

        Raises:
            ApiError: The service refused. Its class says what to do next.
        """

        return await self._sender.call(
            _discard_hold.build(
                account_id=account_id,
                hold_id=hold_id,
                body=body,
            )
        )
