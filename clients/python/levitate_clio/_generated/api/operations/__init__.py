"""The operations of the group `operations`: one class for `Clio`, one for `AsyncClio`."""

import datetime

from levitate_clio._call import AsyncSender, Sender

from ...models.audit_entry_page import AuditEntryPage
from ...models.list_audit_order import ListAuditOrder
from ...models.list_service_audit_order import ListServiceAuditOrder
from ...types import UNSET, Unset
from . import list_audit as _list_audit
from . import list_service_audit as _list_service_audit


class OperationsOperations:
    """The operations of the group `operations`."""

    def __init__(self, sender: Sender) -> None:
        self._sender = sender

    def list_audit(
        self,
        account_id: str,
        *,
        cursor: str | Unset = UNSET,
        limit: int | Unset = UNSET,
        order: ListAuditOrder | Unset = UNSET,
        since: datetime.datetime | Unset = UNSET,
        until: datetime.datetime | Unset = UNSET,
        count: bool | Unset = UNSET,
        actor: str | Unset = UNSET,
        action: str | Unset = UNSET,
    ) -> AuditEntryPage:
        """Return the audit log of the account. The time of an entry is `at`.

        It has ids, versions and JSON pointers, never client data.

        Args:
            account_id: Levitate's id of the account.
            cursor: `next_cursor` of the previous page. Leave it out for the first page.
            limit: The maximum number of items, 1 to 200.
            order: `newest` or `oldest` first, by the time of the items. Without it the list is sorted
                by id.
            since: Only items of this time or later (RFC 3339 with an offset).
            until: Only items before this time (RFC 3339 with an offset).
            count: Add `total`: how many items all pages of this list have together.
            actor: Only what this Levitate user did: the user's id, as in `user_id`.
            action: Only this action, such as `hold.released`.

        Raises:
            ApiError: The service refused. Its class says what to do next.
        """

        return self._sender.call(
            _list_audit.build(
                account_id=account_id,
                cursor=cursor,
                limit=limit,
                order=order,
                since=since,
                until=until,
                count=count,
                actor=actor,
                action=action,
            )
        )

    def list_service_audit(
        self,
        *,
        cursor: str | Unset = UNSET,
        limit: int | Unset = UNSET,
        order: ListServiceAuditOrder | Unset = UNSET,
        since: datetime.datetime | Unset = UNSET,
        until: datetime.datetime | Unset = UNSET,
        count: bool | Unset = UNSET,
        actor: str | Unset = UNSET,
        action: str | Unset = UNSET,
    ) -> AuditEntryPage:
        """Return the audit log of what is of no single account. The time of an entry is `at`.

        It has what was done to webhook endpoints, service tokens and keys, and the erasure of
        accounts, and it outlives them. It needs the role `success_manager`. A token for some
        accounts sees only what was done with itself.

        Args:
            cursor: `next_cursor` of the previous page. Leave it out for the first page.
            limit: The maximum number of items, 1 to 200.
            order: `newest` or `oldest` first, by the time of the items. Without it the list is sorted
                by id.
            since: Only items of this time or later (RFC 3339 with an offset).
            until: Only items before this time (RFC 3339 with an offset).
            count: Add `total`: how many items all pages of this list have together.
            actor: Only what this Levitate user did: the user's id, as in `user_id`.
            action: Only this action, such as `hold.released`.

        Raises:
            ApiError: The service refused. Its class says what to do next.
        """

        return self._sender.call(
            _list_service_audit.build(
                cursor=cursor,
                limit=limit,
                order=order,
                since=since,
                until=until,
                count=count,
                actor=actor,
                action=action,
            )
        )


class AsyncOperationsOperations:
    """The operations of the group `operations`."""

    def __init__(self, sender: AsyncSender) -> None:
        self._sender = sender

    async def list_audit(
        self,
        account_id: str,
        *,
        cursor: str | Unset = UNSET,
        limit: int | Unset = UNSET,
        order: ListAuditOrder | Unset = UNSET,
        since: datetime.datetime | Unset = UNSET,
        until: datetime.datetime | Unset = UNSET,
        count: bool | Unset = UNSET,
        actor: str | Unset = UNSET,
        action: str | Unset = UNSET,
    ) -> AuditEntryPage:
        """Return the audit log of the account. The time of an entry is `at`.

        It has ids, versions and JSON pointers, never client data.

        Args:
            account_id: Levitate's id of the account.
            cursor: `next_cursor` of the previous page. Leave it out for the first page.
            limit: The maximum number of items, 1 to 200.
            order: `newest` or `oldest` first, by the time of the items. Without it the list is sorted
                by id.
            since: Only items of this time or later (RFC 3339 with an offset).
            until: Only items before this time (RFC 3339 with an offset).
            count: Add `total`: how many items all pages of this list have together.
            actor: Only what this Levitate user did: the user's id, as in `user_id`.
            action: Only this action, such as `hold.released`.

        Raises:
            ApiError: The service refused. Its class says what to do next.
        """

        return await self._sender.call(
            _list_audit.build(
                account_id=account_id,
                cursor=cursor,
                limit=limit,
                order=order,
                since=since,
                until=until,
                count=count,
                actor=actor,
                action=action,
            )
        )

    async def list_service_audit(
        self,
        *,
        cursor: str | Unset = UNSET,
        limit: int | Unset = UNSET,
        order: ListServiceAuditOrder | Unset = UNSET,
        since: datetime.datetime | Unset = UNSET,
        until: datetime.datetime | Unset = UNSET,
        count: bool | Unset = UNSET,
        actor: str | Unset = UNSET,
        action: str | Unset = UNSET,
    ) -> AuditEntryPage:
        """Return the audit log of what is of no single account. The time of an entry is `at`.

        It has what was done to webhook endpoints, service tokens and keys, and the erasure of
        accounts, and it outlives them. It needs the role `success_manager`. A token for some
        accounts sees only what was done with itself.

        Args:
            cursor: `next_cursor` of the previous page. Leave it out for the first page.
            limit: The maximum number of items, 1 to 200.
            order: `newest` or `oldest` first, by the time of the items. Without it the list is sorted
                by id.
            since: Only items of this time or later (RFC 3339 with an offset).
            until: Only items before this time (RFC 3339 with an offset).
            count: Add `total`: how many items all pages of this list have together.
            actor: Only what this Levitate user did: the user's id, as in `user_id`.
            action: Only this action, such as `hold.released`.

        Raises:
            ApiError: The service refused. Its class says what to do next.
        """

        return await self._sender.call(
            _list_service_audit.build(
                cursor=cursor,
                limit=limit,
                order=order,
                since=since,
                until=until,
                count=count,
                actor=actor,
                action=action,
            )
        )
