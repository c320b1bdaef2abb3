"""The operations of the group `new_clients`: one class for `Clio`, one for `AsyncClio`."""

import datetime

from levitate_clio._call import AsyncSender, Sender

from ...models.decided_new_clients import DecidedNewClients
from ...models.list_new_clients_order import ListNewClientsOrder
from ...models.list_new_clients_origin import ListNewClientsOrigin
from ...models.list_new_clients_status import ListNewClientsStatus
from ...models.many_new_clients import ManyNewClients
from ...models.new_client import NewClient
from ...models.new_client_page import NewClientPage
from ...types import UNSET, Unset
from . import decide_new_clients as _decide_new_clients
from . import list_new_clients as _list_new_clients
from . import release_new_client as _release_new_client
from . import replay_new_client as _replay_new_client
from . import suppress_new_client as _suppress_new_client


class NewClientsOperations:
    """The operations of the group `new_clients`."""

    def __init__(self, sender: Sender) -> None:
        self._sender = sender

    def list_new_clients(
        self,
        account_id: str,
        *,
        cursor: str | Unset = UNSET,
        limit: int | Unset = UNSET,
        order: ListNewClientsOrder | Unset = UNSET,
        since: datetime.datetime | Unset = UNSET,
        until: datetime.datetime | Unset = UNSET,
        count: bool | Unset = UNSET,
        status: ListNewClientsStatus | Unset = UNSET,
        origin: ListNewClientsOrigin | Unset = UNSET,
        run_id: str | Unset = UNSET,
    ) -> NewClientPage:
        """Return the new-client rows: one for each person, created when the person was first
        recognised as a client.

        Their time is `created_at`.

        Args:
            account_id: Levitate's id of the account.
            cursor: `next_cursor` of the previous page. Leave it out for the first page.
            limit: The maximum number of items, 1 to 200.
            order: `newest` or `oldest` first, by the time of the items. Without it the list is sorted
                by id.
            since: Only items of this time or later (RFC 3339 with an offset).
            until: Only items before this time (RFC 3339 with an offset).
            count: Add `total`: how many items all pages of this list have together.
            status: Only new clients with this status.
            origin: Only new clients that were recognised in this way.
            run_id: Only new clients whom this run recognised: our id (`run_…`).

        Raises:
            ApiError: The service refused. Its class says what to do next.
        """

        return self._sender.call(
            _list_new_clients.build(
                account_id=account_id,
                cursor=cursor,
                limit=limit,
                order=order,
                since=since,
                until=until,
                count=count,
                status=status,
                origin=origin,
                run_id=run_id,
            )
        )

    def release_new_client(
        self,
        account_id: str,
        new_client_id: str,
    ) -> NewClient:
        """Announce a new client that is held: the event `client.new` is sent now.

        Args:
            account_id: Levitate's id of the account.
            new_client_id: The id of the new client (`ncl_…`).

        Raises:
            ApiError: The service refused. Its class says what to do next.
        """

        return self._sender.call(
            _release_new_client.build(
                account_id=account_id,
                new_client_id=new_client_id,
            )
        )

    def suppress_new_client(
        self,
        account_id: str,
        new_client_id: str,
    ) -> NewClient:
        """Never announce a new client that is held. Its row is kept, so that no later run announces
        the person.

        Args:
            account_id: Levitate's id of the account.
            new_client_id: The id of the new client (`ncl_…`).

        Raises:
            ApiError: The service refused. Its class says what to do next.
        """

        return self._sender.call(
            _suppress_new_client.build(
                account_id=account_id,
                new_client_id=new_client_id,
            )
        )

    def replay_new_client(
        self,
        account_id: str,
        new_client_id: str,
    ) -> NewClient:
        """Announce a new client once more. The event has a new id, so receivers do not treat it as a
        duplicate.

        Args:
            account_id: Levitate's id of the account.
            new_client_id: The id of the new client (`ncl_…`).

        Raises:
            ApiError: The service refused. Its class says what to do next.
        """

        return self._sender.call(
            _replay_new_client.build(
                account_id=account_id,
                new_client_id=new_client_id,
            )
        )

    def decide_new_clients(
        self,
        account_id: str,
        *,
        body: ManyNewClients,
        idempotency_key: str | Unset = UNSET,
    ) -> DecidedNewClients:
        """Release or suppress many new clients that are held, by their ids or by a filter.

        The set is fixed now: who is found later is not decided by this. Up to 500 are decided at
        once, the others within a minute. Each is announced once at most, also if this service is
        stopped meanwhile. The same key and body get the same answer again, and 410 if somebody whom
        it names was erased since.

        Args:
            account_id: Levitate's id of the account.
            idempotency_key: A string of your choice that is new for each new request.
            body: A decision about many new clients that are held. Name them by `ids`, or describe
                them by `filter`.

        Raises:
            ApiError: The service refused. Its class says what to do next.
        """

        return self._sender.call(
            _decide_new_clients.build(
                account_id=account_id,
                body=body,
                idempotency_key=idempotency_key,
            )
        )


class AsyncNewClientsOperations:
    """The operations of the group `new_clients`."""

    def __init__(self, sender: AsyncSender) -> None:
        self._sender = sender

    async def list_new_clients(
        self,
        account_id: str,
        *,
        cursor: str | Unset = UNSET,
        limit: int | Unset = UNSET,
        order: ListNewClientsOrder | Unset = UNSET,
        since: datetime.datetime | Unset = UNSET,
        until: datetime.datetime | Unset = UNSET,
        count: bool | Unset = UNSET,
        status: ListNewClientsStatus | Unset = UNSET,
        origin: ListNewClientsOrigin | Unset = UNSET,
        run_id: str | Unset = UNSET,
    ) -> NewClientPage:
        """Return the new-client rows: one for each person, created when the person was first
        recognised as a client.

        Their time is `created_at`.

        Args:
            account_id: Levitate's id of the account.
            cursor: `next_cursor` of the previous page. Leave it out for the first page.
            limit: The maximum number of items, 1 to 200.
            order: `newest` or `oldest` first, by the time of the items. Without it the list is sorted
                by id.
            since: Only items of this time or later (RFC 3339 with an offset).
            until: Only items before this time (RFC 3339 with an offset).
            count: Add `total`: how many items all pages of this list have together.
            status: Only new clients with this status.
            origin: Only new clients that were recognised in this way.
            run_id: Only new clients whom this run recognised: our id (`run_…`).

        Raises:
            ApiError: The service refused. Its class says what to do next.
        """

        return await self._sender.call(
            _list_new_clients.build(
                account_id=account_id,
                cursor=cursor,
                limit=limit,
                order=order,
                since=since,
                until=until,
                count=count,
                status=status,
                origin=origin,
                run_id=run_id,
            )
        )

    async def release_new_client(
        self,
        account_id: str,
        new_client_id: str,
    ) -> NewClient:
        """Announce a new client that is held: the event `client.new` is sent now.

        Args:
            account_id: Levitate's id of the account.
            new_client_id: The id of the new client (`ncl_…`).

        Raises:
            ApiError: The service refused. Its class says what to do next.
        """

        return await self._sender.call(
            _release_new_client.build(
                account_id=account_id,
                new_client_id=new_client_id,
            )
        )

    async def suppress_new_client(
        self,
        account_id: str,
        new_client_id: str,
    ) -> NewClient:
        """Never announce a new client that is held. Its row is kept, so that no later run announces
        the person.

        Args:
            account_id: Levitate's id of the account.
            new_client_id: The id of the new client (`ncl_…`).

        Raises:
            ApiError: The service refused. Its class says what to do next.
        """

        return await self._sender.call(
            _suppress_new_client.build(
                account_id=account_id,
                new_client_id=new_client_id,
            )
        )

    async def replay_new_client(
        self,
        account_id: str,
        new_client_id: str,
    ) -> NewClient:
        """Announce a new client once more. The event has a new id, so receivers do not treat it as a
        duplicate.

        Args:
            account_id: Levitate's id of the account.
            new_client_id: The id of the new client (`ncl_…`).

        Raises:
            ApiError: The service refused. Its class says what to do next.
        """

        return await self._sender.call(
            _replay_new_client.build(
                account_id=account_id,
                new_client_id=new_client_id,
            )
        )

    async def decide_new_clients(
        self,
        account_id: str,
        *,
        body: ManyNewClients,
        idempotency_key: str | Unset = UNSET,
    ) -> DecidedNewClients:
        """Release or suppress many new clients that are held, by their ids or by a filter.

        The set is fixed now: who is found later is not decided by this. Up to 500 are decided at
        once, the others within a minute. Each is announced once at most, also if this service is
        stopped meanwhile. The same key and body get the same answer again, and 410 if somebody whom
        it names was erased since.

        Args:
            account_id: Levitate's id of the account.
            idempotency_key: A string of your choice that is new for each new request.
            body: A decision about many new clients that are held. Name them by `ids`, or describe
                them by `filter`.

        Raises:
            ApiError: The service refused. Its class says what to do next.
        """

        return await self._sender.call(
            _decide_new_clients.build(
                account_id=account_id,
                body=body,
                idempotency_key=idempotency_key,
            )
        )
