"""The operations of the group `connections`: one class for `Clio`, one for `AsyncClio`."""

import datetime

from levitate_clio._call import AsyncSender, Sender

from ...models.connect_link import ConnectLink
from ...models.connect_link_in import ConnectLinkIn
from ...models.connection import Connection
from ...models.connection_in import ConnectionIn
from ...models.connection_page import ConnectionPage
from ...models.list_connections_order import ListConnectionsOrder
from ...models.started_connection import StartedConnection
from ...types import UNSET, Unset
from . import create_connect_link as _create_connect_link
from . import end_connect_link as _end_connect_link
from . import end_connection as _end_connection
from . import get_connection as _get_connection
from . import list_connections as _list_connections
from . import start_connection as _start_connection


class ConnectionsOperations:
    """The operations of the group `connections`."""

    def __init__(self, sender: Sender) -> None:
        self._sender = sender

    def list_connections(
        self,
        account_id: str,
        *,
        cursor: str | Unset = UNSET,
        limit: int | Unset = UNSET,
        order: ListConnectionsOrder | Unset = UNSET,
        since: datetime.datetime | Unset = UNSET,
        until: datetime.datetime | Unset = UNSET,
        count: bool | Unset = UNSET,
    ) -> ConnectionPage:
        """Return the account's connections. Their time is when they were requested.

        Args:
            account_id: Levitate's id of the account.
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
            _list_connections.build(
                account_id=account_id,
                cursor=cursor,
                limit=limit,
                order=order,
                since=since,
                until=until,
                count=count,
            )
        )

    def start_connection(
        self,
        account_id: str,
        *,
        body: ConnectionIn,
    ) -> StartedConnection:
        """Start to connect a user's Clio login. Redirect the user's browser to `authorize_url`.

        With a token of the scope `write`, only the login of the user whom `Levitate-User` names.

        Args:
            account_id: Levitate's id of the account.
            body: A request to connect a user's Clio login.

        Raises:
            ApiError: The service refused. Its class says what to do next.
        """

        return self._sender.call(
            _start_connection.build(
                account_id=account_id,
                body=body,
            )
        )

    def get_connection(
        self,
        account_id: str,
        connection_id: str,
    ) -> Connection:
        """Return one connection.

        Args:
            account_id: Levitate's id of the account.
            connection_id: The id of the connection (`cnx_…`).

        Raises:
            ApiError: The service refused. Its class says what to do next.
        """

        return self._sender.call(
            _get_connection.build(
                account_id=account_id,
                connection_id=connection_id,
            )
        )

    def end_connection(
        self,
        account_id: str,
        connection_id: str,
    ) -> None:
        """Disconnect the login: its tokens cannot be used any more, and Clio is told to revoke them.

        Clio is told within moments, and again for seven days if it does not answer. The data that
        was pulled is kept. What the user has begun to connect ends as `declined`. Without a role,
        and with a token of the scope `write`, only the login of the user whom `Levitate-User`
        names.

        Args:
            account_id: Levitate's id of the account.
            connection_id: The id of the connection (`cnx_…`).

        Raises:
            ApiError: The service refused. Its class says what to do next.
        """

        return self._sender.call(
            _end_connection.build(
                account_id=account_id,
                connection_id=connection_id,
            )
        )

    def create_connect_link(
        self,
        account_id: str,
        *,
        body: ConnectLinkIn,
    ) -> ConnectLink:
        """Make a link with which one user can connect a Clio login. Send its `url` to the user.

        Args:
            account_id: Levitate's id of the account.
            body: A request for a link with which a user can connect a Clio login.

        Raises:
            ApiError: The service refused. Its class says what to do next.
        """

        return self._sender.call(
            _create_connect_link.build(
                account_id=account_id,
                body=body,
            )
        )

    def end_connect_link(
        self,
        account_id: str,
        link_id: str,
    ) -> None:
        """End a link. What its user has begun to connect ends as `declined`; a login that is connected
        stays connected.

        Args:
            account_id: Levitate's id of the account.
            link_id: The id of the connect link (`lnk_…`).

        Raises:
            ApiError: The service refused. Its class says what to do next.
        """

        return self._sender.call(
            _end_connect_link.build(
                account_id=account_id,
                link_id=link_id,
            )
        )


class AsyncConnectionsOperations:
    """The operations of the group `connections`."""

    def __init__(self, sender: AsyncSender) -> None:
        self._sender = sender

    async def list_connections(
        self,
        account_id: str,
        *,
        cursor: str | Unset = UNSET,
        limit: int | Unset = UNSET,
        order: ListConnectionsOrder | Unset = UNSET,
        since: datetime.datetime | Unset = UNSET,
        until: datetime.datetime | Unset = UNSET,
        count: bool | Unset = UNSET,
    ) -> ConnectionPage:
        """Return the account's connections. Their time is when they were requested.

        Args:
            account_id: Levitate's id of the account.
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
            _list_connections.build(
                account_id=account_id,
                cursor=cursor,
                limit=limit,
                order=order,
                since=since,
                until=until,
                count=count,
            )
        )

    async def start_connection(
        self,
        account_id: str,
        *,
        body: ConnectionIn,
    ) -> StartedConnection:
        """Start to connect a user's Clio login. Redirect the user's browser to `authorize_url`.

        With a token of the scope `write`, only the login of the user whom `Levitate-User` names.

        Args:
            account_id: Levitate's id of the account.
            body: A request to connect a user's Clio login.

        Raises:
            ApiError: The service refused. Its class says what to do next.
        """

        return await self._sender.call(
            _start_connection.build(
                account_id=account_id,
                body=body,
            )
        )

    async def get_connection(
        self,
        account_id: str,
        connection_id: str,
    ) -> Connection:
        """Return one connection.

        Args:
            account_id: Levitate's id of the account.
            connection_id: The id of the connection (`cnx_…`).

        Raises:
            ApiError: The service refused. Its class says what to do next.
        """

        return await self._sender.call(
            _get_connection.build(
                account_id=account_id,
                connection_id=connection_id,
            )
        )

    async def end_connection(
        self,
        account_id: str,
        connection_id: str,
    ) -> None:
        """Disconnect the login: its tokens cannot be used any more, and Clio is told to revoke them.

        Clio is told within moments, and again for seven days if it does not answer. The data that
        was pulled is kept. What the user has begun to connect ends as `declined`. Without a role,
        and with a token of the scope `write`, only the login of the user whom `Levitate-User`
        names.

        Args:
            account_id: Levitate's id of the account.
            connection_id: The id of the connection (`cnx_…`).

        Raises:
            ApiError: The service refused. Its class says what to do next.
        """

        return await self._sender.call(
            _end_connection.build(
                account_id=account_id,
                connection_id=connection_id,
            )
        )

    async def create_connect_link(
        self,
        account_id: str,
        *,
        body: ConnectLinkIn,
    ) -> ConnectLink:
        """Make a link with which one user can connect a Clio login. Send its `url` to the user.

        Args:
            account_id: Levitate's id of the account.
            body: A request for a link with which a user can connect a Clio login.

        Raises:
            ApiError: The service refused. Its class says what to do next.
        """

        return await self._sender.call(
            _create_connect_link.build(
                account_id=account_id,
                body=body,
            )
        )

    async def end_connect_link(
        self,
        account_id: str,
        link_id: str,
    ) -> None:
        """End a link. What its user has begun to connect ends as `declined`; a login that is connected
        stays connected.

        Args:
            account_id: Levitate's id of the account.
            link_id: The id of the connect link (`lnk_…`).

        Raises:
            ApiError: The service refused. Its class says what to do next.
        """

        return await self._sender.call(
            _end_connect_link.build(
                account_id=account_id,
                link_id=link_id,
            )
        )
