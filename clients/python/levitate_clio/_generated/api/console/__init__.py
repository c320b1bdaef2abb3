"""The operations of the group `console`: one class for `Clio`, one for `AsyncClio`."""

from levitate_clio._call import AsyncSender, Sender

from ...models.account_console_link_in import AccountConsoleLinkIn
from ...models.console_link import ConsoleLink
from ...models.console_link_in import ConsoleLinkIn
from . import create_account_console_link as _create_account_console_link
from . import create_console_link as _create_console_link


class ConsoleOperations:
    """The operations of the group `console`."""

    def __init__(self, sender: Sender) -> None:
        self._sender = sender

    def create_account_console_link(
        self,
        account_id: str,
        *,
        body: AccountConsoleLinkIn,
    ) -> ConsoleLink:
        """Make a link that opens the console of this account for one person. Redirect the person's
        browser to `url`.

        What the person may do there follows from `role`, as it does in this API. The link works
        once, for 5 minutes. The session that it begins lasts 8 hours and ends with your service
        token.

        Args:
            account_id: Levitate's id of the account.
            body: A link to the console of one account.

        Raises:
            ApiError: The service refused. Its class says what to do next.
        """

        return self._sender.call(
            _create_account_console_link.build(
                account_id=account_id,
                body=body,
            )
        )

    def create_console_link(
        self,
        *,
        body: ConsoleLinkIn,
    ) -> ConsoleLink:
        """Make a link that opens the console of all accounts of the token, for a Success Manager.

        It needs a token for all accounts and the role `success_manager`. The session begins at the
        list of firms.

        Args:
            body: A link to the console of all accounts.

        Raises:
            ApiError: The service refused. Its class says what to do next.
        """

        return self._sender.call(
            _create_console_link.build(
                body=body,
            )
        )


class AsyncConsoleOperations:
    """The operations of the group `console`."""

    def __init__(self, sender: AsyncSender) -> None:
        self._sender = sender

    async def create_account_console_link(
        self,
        account_id: str,
        *,
        body: AccountConsoleLinkIn,
    ) -> ConsoleLink:
        """Make a link that opens the console of this account for one person. Redirect the person's
        browser to `url`.

        What the person may do there follows from `role`, as it does in this API. The link works
        once, for 5 minutes. The session that it begins lasts 8 hours and ends with your service
        token.

        Args:
            account_id: Levitate's id of the account.
            body: A link to the console of one account.

        Raises:
            ApiError: The service refused. Its class says what to do next.
        """

        return await self._sender.call(
            _create_account_console_link.build(
                account_id=account_id,
                body=body,
            )
        )

    async def create_console_link(
        self,
        *,
        body: ConsoleLinkIn,
    ) -> ConsoleLink:
        """Make a link that opens the console of all accounts of the token, for a Success Manager.

        It needs a token for all accounts and the role `success_manager`. The session begins at the
        list of firms.

        Args:
            body: A link to the console of all accounts.

        Raises:
            ApiError: The service refused. Its class says what to do next.
        """

        return await self._sender.call(
            _create_console_link.build(
                body=body,
            )
        )
