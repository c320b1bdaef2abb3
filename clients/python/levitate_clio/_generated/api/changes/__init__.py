"""The operations of the group `changes`: one class for `Clio`, one for `AsyncClio`."""

from levitate_clio._call import AsyncSender, Sender

from ...models.change_feed_page import ChangeFeedPage
from ...types import UNSET, Unset
from . import list_changes as _list_changes


class ChangesOperations:
    """The operations of the group `changes`."""

    def __init__(self, sender: Sender) -> None:
        self._sender = sender

    def list_changes(
        self,
        account_id: str,
        *,
        cursor: str | Unset = UNSET,
        limit: int | Unset = UNSET,
        wait: int | Unset = UNSET,
    ) -> ChangeFeedPage:
        """Return the changes after the cursor, oldest first; without a cursor from the beginning of
        the feed.

        Store `next_cursor` after each page. You then see every change at least once, and the
        changes of each contact in order; none is skipped, even if it was committed late. With
        `wait` the response to an empty page is delayed until there is a change. A wait ends with
        401 within 5 seconds after the token was revoked or has expired.

        Args:
            account_id: Levitate's id of the account.
            cursor: `next_cursor` of the previous page. Leave it out for the first page.
            limit: The maximum number of changes, 1 to 1,000.
            wait: The seconds to wait for a change if there is none, 0 to 30.

        Raises:
            ApiError: The service refused. Its class says what to do next.
        """

        return self._sender.call(
            _list_changes.build(
                account_id=account_id,
                cursor=cursor,
                limit=limit,
                wait=wait,
            )
        )


class AsyncChangesOperations:
    """The operations of the group `changes`."""

    def __init__(self, sender: AsyncSender) -> None:
        self._sender = sender

    async def list_changes(
        self,
        account_id: str,
        *,
        cursor: str | Unset = UNSET,
        limit: int | Unset = UNSET,
        wait: int | Unset = UNSET,
    ) -> ChangeFeedPage:
        """Return the changes after the cursor, oldest first; without a cursor from the beginning of
        the feed.

        Store `next_cursor` after each page. You then see every change at least once, and the
        changes of each contact in order; none is skipped, even if it was committed late. With
        `wait` the response to an empty page is delayed until there is a change. A wait ends with
        401 within 5 seconds after the token was revoked or has expired.

        Args:
            account_id: Levitate's id of the account.
            cursor: `next_cursor` of the previous page. Leave it out for the first page.
            limit: The maximum number of changes, 1 to 1,000.
            wait: The seconds to wait for a change if there is none, 0 to 30.

        Raises:
            ApiError: The service refused. Its class says what to do next.
        """

        return await self._sender.call(
            _list_changes.build(
                account_id=account_id,
                cursor=cursor,
                limit=limit,
                wait=wait,
            )
        )
