"""The operations of the group `accounts`: one class for `Clio`, one for `AsyncClio`."""

import datetime
from typing import Any, Literal

from levitate_clio._call import AsyncSender, Sender

from ...models.account import Account
from ...models.account_in import AccountIn
from ...models.attorney import Attorney
from ...models.attorney_in import AttorneyIn
from ...models.attorney_page import AttorneyPage
from ...models.erasure import Erasure
from ...models.fleet import Fleet
from ...models.list_accounts_health import ListAccountsHealth
from ...models.list_accounts_order import ListAccountsOrder
from ...models.listed_account_page import ListedAccountPage
from ...models.status import Status
from ...models.user_list import UserList
from ...models.users_in import UsersIn
from ...types import UNSET, Unset
from . import delete_account as _delete_account
from . import get_account as _get_account
from . import get_erasure as _get_erasure
from . import get_fleet as _get_fleet
from . import get_status as _get_status
from . import get_users as _get_users
from . import list_accounts as _list_accounts
from . import list_attorneys as _list_attorneys
from . import map_attorney as _map_attorney
from . import patch_account as _patch_account
from . import put_account as _put_account
from . import put_users as _put_users
from . import unmap_attorney as _unmap_attorney


class AccountsOperations:
    """The operations of the group `accounts`."""

    def __init__(self, sender: Sender) -> None:
        self._sender = sender

    def list_accounts(
        self,
        *,
        cursor: str | Unset = UNSET,
        limit: int | Unset = UNSET,
        order: ListAccountsOrder | Unset = UNSET,
        since: datetime.datetime | Unset = UNSET,
        until: datetime.datetime | Unset = UNSET,
        count: bool | Unset = UNSET,
        health: ListAccountsHealth | Unset = UNSET,
        q: str | Unset = UNSET,
    ) -> ListedAccountPage:
        """Return the accounts that the token may see, each with its health. Their time is
        `created_at`.

        The health is stored, and follows a change within seconds. An account whose health changes
        while you read pages in this order can be on two pages, or on none.

        Args:
            cursor: `next_cursor` of the previous page. Leave it out for the first page.
            limit: The maximum number of items, 1 to 200.
            order: `newest` or `oldest` first, by `created_at`. `health`: the worst first. `name`: by
                name, whatever the case. `last_success`: those that never had a successful run
                first, then the oldest success. Without it the list is sorted by id.
            since: Only items of this time or later (RFC 3339 with an offset).
            until: Only items before this time (RFC 3339 with an offset).
            count: Add `total`: how many items all pages of this list have together.
            health: Only accounts with this health.
            q: Only accounts whose id and name have words that begin with each word of this text.
                Case does not matter.

        Raises:
            ApiError: The service refused. Its class says what to do next.
        """

        return self._sender.call(
            _list_accounts.build(
                cursor=cursor,
                limit=limit,
                order=order,
                since=since,
                until=until,
                count=count,
                health=health,
                q=q,
            )
        )

    def get_fleet(
        self,
    ) -> Fleet:
        """Count the accounts that the token may see by health, and what is going on or waits in them.

        Raises:
            ApiError: The service refused. Its class says what to do next.
        """

        return self._sender.call(_get_fleet.build())

    def get_account(
        self,
        account_id: str,
    ) -> Account:
        """Return one account, with its `ETag` in the header.

        Args:
            account_id: Levitate's id of the account.

        Raises:
            ApiError: The service refused. Its class says what to do next.
        """

        return self._sender.call(
            _get_account.build(
                account_id=account_id,
            )
        )

    def put_account(
        self,
        account_id: str,
        *,
        body: AccountIn,
        if_match: str | Unset = UNSET,
    ) -> Account:
        """Create or change an account. Disabling it stops its scheduled runs and keeps its data.

        If the country or the primary user changes, all contacts are assessed again, without
        requests to Clio. `publish` cannot become `automatic` while the first publication is
        reviewed. With `If-Match` nothing is stored if the account has changed since you read it, or
        does not exist.

        Args:
            account_id: Levitate's id of the account.
            if_match: The `ETag` of the version that you change.
            body: The account to create, or all of its fields to change.

        Raises:
            ApiError: The service refused. Its class says what to do next.
        """

        return self._sender.call(
            _put_account.build(
                account_id=account_id,
                body=body,
                if_match=if_match,
            )
        )

    def delete_account(
        self,
        account_id: str,
    ) -> None:
        """Erase all data of the account, and revoke the access of its Clio logins at Clio.

        From now on the account does not exist. The erasure goes on in the background. The header
        `Location` has the address of its receipt.

        Args:
            account_id: Levitate's id of the account.

        Raises:
            ApiError: The service refused. Its class says what to do next.
        """

        return self._sender.call(
            _delete_account.build(
                account_id=account_id,
            )
        )

    def patch_account(
        self,
        account_id: str,
        *,
        body: Any,
        if_match: str,
    ) -> Account:
        """Change some fields of an account; the others stay as they are. The effects are those of
        `PUT`.

        Args:
            account_id: Levitate's id of the account.
            if_match: The `ETag` of the version that you change.
            body: A JSON merge patch (RFC 7396): null sets a part back to its default.

        Raises:
            ApiError: The service refused. Its class says what to do next.
        """

        return self._sender.call(
            _patch_account.build(
                account_id=account_id,
                body=body,
                if_match=if_match,
            )
        )

    def get_users(
        self,
        account_id: str,
    ) -> UserList:
        """Return the firm's Levitate users.

        Args:
            account_id: Levitate's id of the account.

        Raises:
            ApiError: The service refused. Its class says what to do next.
        """

        return self._sender.call(
            _get_users.build(
                account_id=account_id,
            )
        )

    def put_users(
        self,
        account_id: str,
        *,
        body: UsersIn,
        confirm: Literal["replace"] | Unset = UNSET,
    ) -> UserList:
        """Replace the list of Levitate users.

        If that changes who is active, or whom a Clio user stands for, all contacts are assessed
        again, without requests to Clio. An empty list needs `confirm=replace` if there are users.

        Args:
            account_id: Levitate's id of the account.
            confirm: `replace`: an empty list is meant, and removes all users.
            body: The complete list of the firm's Levitate users. It replaces the stored list.

        Raises:
            ApiError: The service refused. Its class says what to do next.
        """

        return self._sender.call(
            _put_users.build(
                account_id=account_id,
                body=body,
                confirm=confirm,
            )
        )

    def list_attorneys(
        self,
        account_id: str,
        *,
        unmapped: bool | Unset = UNSET,
        cursor: str | Unset = UNSET,
        limit: int | Unset = UNSET,
    ) -> AttorneyPage:
        """Return the firm's Clio users by Clio's id, as of the last run.

        Each has its Levitate user, who is mapped by hand, by connection or by email address.

        Args:
            account_id: Levitate's id of the account.
            unmapped: Only Clio users without a mapping. One to nobody, by hand, is a mapping.
            cursor: `next_cursor` of the previous page. Leave it out for the first page.
            limit: The maximum number of items, 1 to 200.

        Raises:
            ApiError: The service refused. Its class says what to do next.
        """

        return self._sender.call(
            _list_attorneys.build(
                account_id=account_id,
                unmapped=unmapped,
                cursor=cursor,
                limit=limit,
            )
        )

    def map_attorney(
        self,
        account_id: str,
        clio_user_id: str,
        *,
        body: AttorneyIn,
    ) -> Attorney:
        """Map a Clio user to a Levitate user by hand; null means no user.

        If that changes whom the Clio user stands for, all contacts are assessed again.

        Args:
            account_id: Levitate's id of the account.
            clio_user_id:
            body: The Levitate user that a Clio user is mapped to. Null maps the Clio user to nobody.

        Raises:
            ApiError: The service refused. Its class says what to do next.
        """

        return self._sender.call(
            _map_attorney.build(
                account_id=account_id,
                clio_user_id=clio_user_id,
                body=body,
            )
        )

    def unmap_attorney(
        self,
        account_id: str,
        clio_user_id: str,
    ) -> None:
        """Remove the mapping by hand: the Clio user is mapped automatically again.

        If that changes whom the Clio user stands for, all contacts are assessed again.

        Args:
            account_id: Levitate's id of the account.
            clio_user_id:

        Raises:
            ApiError: The service refused. Its class says what to do next.
        """

        return self._sender.call(
            _unmap_attorney.build(
                account_id=account_id,
                clio_user_id=clio_user_id,
            )
        )

    def get_status(
        self,
        account_id: str,
    ) -> Status:
        """Return the account's health, its connections and contacts, its newest run, and when the next
        run is due.

        Args:
            account_id: Levitate's id of the account.

        Raises:
            ApiError: The service refused. Its class says what to do next.
        """

        return self._sender.call(
            _get_status.build(
                account_id=account_id,
            )
        )

    def get_erasure(
        self,
        erasure_id: str,
    ) -> Erasure:
        """Return an erasure and what is left of it to do. Receipts are kept for a year after the
        erasure has ended.

        Args:
            erasure_id: The id of the erasure (`era_…`).

        Raises:
            ApiError: The service refused. Its class says what to do next.
        """

        return self._sender.call(
            _get_erasure.build(
                erasure_id=erasure_id,
            )
        )


class AsyncAccountsOperations:
    """The operations of the group `accounts`."""

    def __init__(self, sender: AsyncSender) -> None:
        self._sender = sender

    async def list_accounts(
        self,
        *,
        cursor: str | Unset = UNSET,
        limit: int | Unset = UNSET,
        order: ListAccountsOrder | Unset = UNSET,
        since: datetime.datetime | Unset = UNSET,
        until: datetime.datetime | Unset = UNSET,
        count: bool | Unset = UNSET,
        health: ListAccountsHealth | Unset = UNSET,
        q: str | Unset = UNSET,
    ) -> ListedAccountPage:
        """Return the accounts that the token may see, each with its health. Their time is
        `created_at`.

        The health is stored, and follows a change within seconds. An account whose health changes
        while you read pages in this order can be on two pages, or on none.

        Args:
            cursor: `next_cursor` of the previous page. Leave it out for the first page.
            limit: The maximum number of items, 1 to 200.
            order: `newest` or `oldest` first, by `created_at`. `health`: the worst first. `name`: by
                name, whatever the case. `last_success`: those that never had a successful run
                first, then the oldest success. Without it the list is sorted by id.
            since: Only items of this time or later (RFC 3339 with an offset).
            until: Only items before this time (RFC 3339 with an offset).
            count: Add `total`: how many items all pages of this list have together.
            health: Only accounts with this health.
            q: Only accounts whose id and name have words that begin with each word of this text.
                Case does not matter.

        Raises:
            ApiError: The service refused. Its class says what to do next.
        """

        return await self._sender.call(
            _list_accounts.build(
                cursor=cursor,
                limit=limit,
                order=order,
                since=since,
                until=until,
                count=count,
                health=health,
                q=q,
            )
        )

    async def get_fleet(
        self,
    ) -> Fleet:
        """Count the accounts that the token may see by health, and what is going on or waits in them.

        Raises:
            ApiError: The service refused. Its class says what to do next.
        """

        return await self._sender.call(_get_fleet.build())

    async def get_account(
        self,
        account_id: str,
    ) -> Account:
        """Return one account, with its `ETag` in the header.

        Args:
            account_id: Levitate's id of the account.

        Raises:
            ApiError: The service refused. Its class says what to do next.
        """

        return await self._sender.call(
            _get_account.build(
                account_id=account_id,
            )
        )

    async def put_account(
        self,
        account_id: str,
        *,
        body: AccountIn,
        if_match: str | Unset = UNSET,
    ) -> Account:
        """Create or change an account. Disabling it stops its scheduled runs and keeps its data.

        If the country or the primary user changes, all contacts are assessed again, without
        requests to Clio. `publish` cannot become `automatic` while the first publication is
        reviewed. With `If-Match` nothing is stored if the account has changed since you read it, or
        does not exist.

        Args:
            account_id: Levitate's id of the account.
            if_match: The `ETag` of the version that you change.
            body: The account to create, or all of its fields to change.

        Raises:
            ApiError: The service refused. Its class says what to do next.
        """

        return await self._sender.call(
            _put_account.build(
                account_id=account_id,
                body=body,
                if_match=if_match,
            )
        )

    async def delete_account(
        self,
        account_id: str,
    ) -> None:
        """Erase all data of the account, and revoke the access of its Clio logins at Clio.

        From now on the account does not exist. The erasure goes on in the background. The header
        `Location` has the address of its receipt.

        Args:
            account_id: Levitate's id of the account.

        Raises:
            ApiError: The service refused. Its class says what to do next.
        """

        return await self._sender.call(
            _delete_account.build(
                account_id=account_id,
            )
        )

    async def patch_account(
        self,
        account_id: str,
        *,
        body: Any,
        if_match: str,
    ) -> Account:
        """Change some fields of an account; the others stay as they are. The effects are those of
        `PUT`.

        Args:
            account_id: Levitate's id of the account.
            if_match: The `ETag` of the version that you change.
            body: A JSON merge patch (RFC 7396): null sets a part back to its default.

        Raises:
            ApiError: The service refused. Its class says what to do next.
        """

        return await self._sender.call(
            _patch_account.build(
                account_id=account_id,
                body=body,
                if_match=if_match,
            )
        )

    async def get_users(
        self,
        account_id: str,
    ) -> UserList:
        """Return the firm's Levitate users.

        Args:
            account_id: Levitate's id of the account.

        Raises:
            ApiError: The service refused. Its class says what to do next.
        """

        return await self._sender.call(
            _get_users.build(
                account_id=account_id,
            )
        )

    async def put_users(
        self,
        account_id: str,
        *,
        body: UsersIn,
        confirm: Literal["replace"] | Unset = UNSET,
    ) -> UserList:
        """Replace the list of Levitate users.

        If that changes who is active, or whom a Clio user stands for, all contacts are assessed
        again, without requests to Clio. An empty list needs `confirm=replace` if there are users.

        Args:
            account_id: Levitate's id of the account.
            confirm: `replace`: an empty list is meant, and removes all users.
            body: The complete list of the firm's Levitate users. It replaces the stored list.

        Raises:
            ApiError: The service refused. Its class says what to do next.
        """

        return await self._sender.call(
            _put_users.build(
                account_id=account_id,
                body=body,
                confirm=confirm,
            )
        )

    async def list_attorneys(
        self,
        account_id: str,
        *,
        unmapped: bool | Unset = UNSET,
        cursor: str | Unset = UNSET,
        limit: int | Unset = UNSET,
    ) -> AttorneyPage:
        """Return the firm's Clio users by Clio's id, as of the last run.

        Each has its Levitate user, who is mapped by hand, by connection or by email address.

        Args:
            account_id: Levitate's id of the account.
            unmapped: Only Clio users without a mapping. One to nobody, by hand, is a mapping.
            cursor: `next_cursor` of the previous page. Leave it out for the first page.
            limit: The maximum number of items, 1 to 200.

        Raises:
            ApiError: The service refused. Its class says what to do next.
        """

        return await self._sender.call(
            _list_attorneys.build(
                account_id=account_id,
                unmapped=unmapped,
                cursor=cursor,
                limit=limit,
            )
        )

    async def map_attorney(
        self,
        account_id: str,
        clio_user_id: str,
        *,
        body: AttorneyIn,
    ) -> Attorney:
        """Map a Clio user to a Levitate user by hand; null means no user.

        If that changes whom the Clio user stands for, all contacts are assessed again.

        Args:
            account_id: Levitate's id of the account.
            clio_user_id:
            body: The Levitate user that a Clio user is mapped to. Null maps the Clio user to nobody.

        Raises:
            ApiError: The service refused. Its class says what to do next.
        """

        return await self._sender.call(
            _map_attorney.build(
                account_id=account_id,
                clio_user_id=clio_user_id,
                body=body,
            )
        )

    async def unmap_attorney(
        self,
        account_id: str,
        clio_user_id: str,
    ) -> None:
        """Remove the mapping by hand: the Clio user is mapped automatically again.

        If that changes whom the Clio user stands for, all contacts are assessed again.

        Args:
            account_id: Levitate's id of the account.
            clio_user_id:

        Raises:
            ApiError: The service refused. Its class says what to do next.
        """

        return await self._sender.call(
            _unmap_attorney.build(
                account_id=account_id,
                clio_user_id=clio_user_id,
            )
        )

    async def get_status(
        self,
        account_id: str,
    ) -> Status:
        """Return the account's health, its connections and contacts, its newest run, and when the next
        run is due.

        Args:
            account_id: Levitate's id of the account.

        Raises:
            ApiError: The service refused. Its class says what to do next.
        """

        return await self._sender.call(
            _get_status.build(
                account_id=account_id,
            )
        )

    async def get_erasure(
        self,
        erasure_id: str,
    ) -> Erasure:
        """Return an erasure and what is left of it to do. Receipts are kept for a year after the
        erasure has ended.

        Args:
            erasure_id: The id of the erasure (`era_…`).

        Raises:
            ApiError: The service refused. Its class says what to do next.
        """

        return await self._sender.call(
            _get_erasure.build(
                erasure_id=erasure_id,
            )
        )
