"""The operations of the group `activities`: one class for `Clio`, one for `AsyncClio`."""

import datetime

from levitate_clio._call import AsyncSender, Sender

from ...models.activity import Activity
from ...models.activity_batch import ActivityBatch
from ...models.activity_batch_answer import ActivityBatchAnswer
from ...models.activity_in import ActivityIn
from ...models.activity_page import ActivityPage
from ...models.list_activities_kind import ListActivitiesKind
from ...models.list_activities_order import ListActivitiesOrder
from ...models.list_activities_status import ListActivitiesStatus
from ...types import UNSET, Unset
from . import cancel_activity as _cancel_activity
from . import create_activities as _create_activities
from . import create_activity as _create_activity
from . import get_activity as _get_activity
from . import list_activities as _list_activities
from . import retry_activity as _retry_activity


class ActivitiesOperations:
    """The operations of the group `activities`."""

    def __init__(self, sender: Sender) -> None:
        self._sender = sender

    def list_activities(
        self,
        account_id: str,
        *,
        cursor: str | Unset = UNSET,
        limit: int | Unset = UNSET,
        order: ListActivitiesOrder | Unset = UNSET,
        since: datetime.datetime | Unset = UNSET,
        until: datetime.datetime | Unset = UNSET,
        count: bool | Unset = UNSET,
        contact_id: str | Unset = UNSET,
        status: ListActivitiesStatus | Unset = UNSET,
        kind: ListActivitiesKind | Unset = UNSET,
        user_id: str | Unset = UNSET,
    ) -> ActivityPage:
        """Return the activities. Their time is `created_at`.

        Args:
            account_id: Levitate's id of the account.
            cursor: `next_cursor` of the previous page. Leave it out for the first page.
            limit: The maximum number of items, 1 to 200.
            order: `newest` or `oldest` first, by the time of the items. Without it the list is sorted
                by id.
            since: Only items of this time or later (RFC 3339 with an offset).
            until: Only items before this time (RFC 3339 with an offset).
            count: Add `total`: how many items all pages of this list have together.
            contact_id: Only activities of this contact: our id (`con_…`).
            status: Only activities with this status.
            kind: Only activities of this kind.
            user_id: Only activities of this Levitate user, who is their author.

        Raises:
            ApiError: The service refused. Its class says what to do next.
        """

        return self._sender.call(
            _list_activities.build(
                account_id=account_id,
                cursor=cursor,
                limit=limit,
                order=order,
                since=since,
                until=until,
                count=count,
                contact_id=contact_id,
                status=status,
                kind=kind,
                user_id=user_id,
            )
        )

    def create_activity(
        self,
        account_id: str,
        *,
        body: ActivityIn,
        idempotency_key: str | Unset = UNSET,
    ) -> Activity:
        """Record an activity in Clio once, as the user who did it.

        The same key and body get the same answer again, which is older then: read the activity at
        `Location`. If it was erased since, they get 410.

        The status code is 202 for an activity that is queued or blocked, and 200 for one that is
        skipped. It is blocked while the user has no working login, and while the user is not in the
        directory (`user_unknown`). Send each activity when it happens: an activity that the
        settings exclude is never written later.

        Args:
            account_id: Levitate's id of the account.
            idempotency_key: A string of your choice that is new for each new request.
            body: An activity of a Levitate user, to be recorded in Clio. Identify the contact by
                `contact_id` or by `clio_contact_id`. The date of the note in Clio is the local date
                of `occurred_at` in the account's time zone. HTML is converted to plain text. A text
                longer than 59,000 bytes is cut, and its last line says that it was cut. Text
                messages with the same `conversation_id` and local date share one record in Clio:
                the latest request replaces its text.

        Raises:
            ApiError: The service refused. Its class says what to do next.
        """

        return self._sender.call(
            _create_activity.build(
                account_id=account_id,
                body=body,
                idempotency_key=idempotency_key,
            )
        )

    def create_activities(
        self,
        account_id: str,
        *,
        body: ActivityBatch,
        idempotency_key: str | Unset = UNSET,
    ) -> ActivityBatchAnswer:
        """Record up to 100 activities, one after another.

        Each gets the status and the answer that `POST …/activities` would give it, also if another
        one is refused. The same key and body get the same answer again. If the request was cut off,
        send it again: what was recorded is not recorded twice, and the others follow. An activity
        that was erased since gets 410.

        Args:
            account_id: Levitate's id of the account.
            idempotency_key: A string of your choice that is new for each new request.
            body: Activities of Levitate users, each as for `POST …/activities`.

        Raises:
            ApiError: The service refused. Its class says what to do next.
        """

        return self._sender.call(
            _create_activities.build(
                account_id=account_id,
                body=body,
                idempotency_key=idempotency_key,
            )
        )

    def get_activity(
        self,
        account_id: str,
        activity_id: str,
    ) -> Activity:
        """Return one activity: its status, the number of attempts, and its record in Clio.

        Args:
            account_id: Levitate's id of the account.
            activity_id: The id of the activity (`act_…`).

        Raises:
            ApiError: The service refused. Its class says what to do next.
        """

        return self._sender.call(
            _get_activity.build(
                account_id=account_id,
                activity_id=activity_id,
            )
        )

    def retry_activity(
        self,
        account_id: str,
        activity_id: str,
    ) -> Activity:
        """Try a failed or blocked activity again. If Clio may already have it, the service first looks
        for it there.

        Args:
            account_id: Levitate's id of the account.
            activity_id: The id of the activity (`act_…`).

        Raises:
            ApiError: The service refused. Its class says what to do next.
        """

        return self._sender.call(
            _retry_activity.build(
                account_id=account_id,
                activity_id=activity_id,
            )
        )

    def cancel_activity(
        self,
        account_id: str,
        activity_id: str,
    ) -> Activity:
        """Cancel an activity that is certainly not in Clio yet. Cancelling it again has no effect.

        Args:
            account_id: Levitate's id of the account.
            activity_id: The id of the activity (`act_…`).

        Raises:
            ApiError: The service refused. Its class says what to do next.
        """

        return self._sender.call(
            _cancel_activity.build(
                account_id=account_id,
                activity_id=activity_id,
            )
        )


class AsyncActivitiesOperations:
    """The operations of the group `activities`."""

    def __init__(self, sender: AsyncSender) -> None:
        self._sender = sender

    async def list_activities(
        self,
        account_id: str,
        *,
        cursor: str | Unset = UNSET,
        limit: int | Unset = UNSET,
        order: ListActivitiesOrder | Unset = UNSET,
        since: datetime.datetime | Unset = UNSET,
        until: datetime.datetime | Unset = UNSET,
        count: bool | Unset = UNSET,
        contact_id: str | Unset = UNSET,
        status: ListActivitiesStatus | Unset = UNSET,
        kind: ListActivitiesKind | Unset = UNSET,
        user_id: str | Unset = UNSET,
    ) -> ActivityPage:
        """Return the activities. Their time is `created_at`.

        Args:
            account_id: Levitate's id of the account.
            cursor: `next_cursor` of the previous page. Leave it out for the first page.
            limit: The maximum number of items, 1 to 200.
            order: `newest` or `oldest` first, by the time of the items. Without it the list is sorted
                by id.
            since: Only items of this time or later (RFC 3339 with an offset).
            until: Only items before this time (RFC 3339 with an offset).
            count: Add `total`: how many items all pages of this list have together.
            contact_id: Only activities of this contact: our id (`con_…`).
            status: Only activities with this status.
            kind: Only activities of this kind.
            user_id: Only activities of this Levitate user, who is their author.

        Raises:
            ApiError: The service refused. Its class says what to do next.
        """

        return await self._sender.call(
            _list_activities.build(
                account_id=account_id,
                cursor=cursor,
                limit=limit,
                order=order,
                since=since,
                until=until,
                count=count,
                contact_id=contact_id,
                status=status,
                kind=kind,
                user_id=user_id,
            )
        )

    async def create_activity(
        self,
        account_id: str,
        *,
        body: ActivityIn,
        idempotency_key: str | Unset = UNSET,
    ) -> Activity:
        """Record an activity in Clio once, as the user who did it.

        The same key and body get the same answer again, which is older then: read the activity at
        `Location`. If it was erased since, they get 410.

        The status code is 202 for an activity that is queued or blocked, and 200 for one that is
        skipped. It is blocked while the user has no working login, and while the user is not in the
        directory (`user_unknown`). Send each activity when it happens: an activity that the
        settings exclude is never written later.

        Args:
            account_id: Levitate's id of the account.
            idempotency_key: A string of your choice that is new for each new request.
            body: An activity of a Levitate user, to be recorded in Clio. Identify the contact by
                `contact_id` or by `clio_contact_id`. The date of the note in Clio is the local date
                of `occurred_at` in the account's time zone. HTML is converted to plain text. A text
                longer than 59,000 bytes is cut, and its last line says that it was cut. Text
                messages with the same `conversation_id` and local date share one record in Clio:
                the latest request replaces its text.

        Raises:
            ApiError: The service refused. Its class says what to do next.
        """

        return await self._sender.call(
            _create_activity.build(
                account_id=account_id,
                body=body,
                idempotency_key=idempotency_key,
            )
        )

    async def create_activities(
        self,
        account_id: str,
        *,
        body: ActivityBatch,
        idempotency_key: str | Unset = UNSET,
    ) -> ActivityBatchAnswer:
        """Record up to 100 activities, one after another.

        Each gets the status and the answer that `POST …/activities` would give it, also if another
        one is refused. The same key and body get the same answer again. If the request was cut off,
        send it again: what was recorded is not recorded twice, and the others follow. An activity
        that was erased since gets 410.

        Args:
            account_id: Levitate's id of the account.
            idempotency_key: A string of your choice that is new for each new request.
            body: Activities of Levitate users, each as for `POST …/activities`.

        Raises:
            ApiError: The service refused. Its class says what to do next.
        """

        return await self._sender.call(
            _create_activities.build(
                account_id=account_id,
                body=body,
                idempotency_key=idempotency_key,
            )
        )

    async def get_activity(
        self,
        account_id: str,
        activity_id: str,
    ) -> Activity:
        """Return one activity: its status, the number of attempts, and its record in Clio.

        Args:
            account_id: Levitate's id of the account.
            activity_id: The id of the activity (`act_…`).

        Raises:
            ApiError: The service refused. Its class says what to do next.
        """

        return await self._sender.call(
            _get_activity.build(
                account_id=account_id,
                activity_id=activity_id,
            )
        )

    async def retry_activity(
        self,
        account_id: str,
        activity_id: str,
    ) -> Activity:
        """Try a failed or blocked activity again. If Clio may already have it, the service first looks
        for it there.

        Args:
            account_id: Levitate's id of the account.
            activity_id: The id of the activity (`act_…`).

        Raises:
            ApiError: The service refused. Its class says what to do next.
        """

        return await self._sender.call(
            _retry_activity.build(
                account_id=account_id,
                activity_id=activity_id,
            )
        )

    async def cancel_activity(
        self,
        account_id: str,
        activity_id: str,
    ) -> Activity:
        """Cancel an activity that is certainly not in Clio yet. Cancelling it again has no effect.

        Args:
            account_id: Levitate's id of the account.
            activity_id: The id of the activity (`act_…`).

        Raises:
            ApiError: The service refused. Its class says what to do next.
        """

        return await self._sender.call(
            _cancel_activity.build(
                account_id=account_id,
                activity_id=activity_id,
            )
        )
