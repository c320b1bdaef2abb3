"""The operations of the group `settings`: one class for `Clio`, one for `AsyncClio`."""

import datetime
from typing import Any

from levitate_clio._call import AsyncSender, Sender

from ...models.catalog import Catalog
from ...models.list_settings_versions_order import ListSettingsVersionsOrder
from ...models.preview import Preview
from ...models.preview_in import PreviewIn
from ...models.settings import Settings
from ...models.settings_saved import SettingsSaved
from ...models.settings_version import SettingsVersion
from ...models.settings_version_page import SettingsVersionPage
from ...types import UNSET, Unset
from . import get_catalog as _get_catalog
from . import get_settings as _get_settings
from . import list_settings_versions as _list_settings_versions
from . import patch_settings as _patch_settings
from . import preview_settings as _preview_settings
from . import put_settings as _put_settings


class SettingsOperations:
    """The operations of the group `settings`."""

    def __init__(self, sender: Sender) -> None:
        self._sender = sender

    def get_settings(
        self,
        account_id: str,
    ) -> SettingsVersion:
        """Return the current settings. Version 1 has the defaults.

        Args:
            account_id: Levitate's id of the account.

        Raises:
            ApiError: The service refused. Its class says what to do next.
        """

        return self._sender.call(
            _get_settings.build(
                account_id=account_id,
            )
        )

    def put_settings(
        self,
        account_id: str,
        *,
        body: Settings,
        if_match: str,
    ) -> SettingsSaved:
        """Replace all settings. If the change can affect contacts, all are assessed again, without
        requests to Clio.

        Args:
            account_id: Levitate's id of the account.
            if_match: The `ETag` of the version that you change.
            body: All settings of a firm. In a request, a field that is left out usually gets its
                default value.

        Raises:
            ApiError: The service refused. Its class says what to do next.
        """

        return self._sender.call(
            _put_settings.build(
                account_id=account_id,
                body=body,
                if_match=if_match,
            )
        )

    def patch_settings(
        self,
        account_id: str,
        *,
        body: Any,
        if_match: str,
    ) -> SettingsSaved:
        """Change some settings. If the change can affect contacts, all are assessed again, without
        requests to Clio.

        Args:
            account_id: Levitate's id of the account.
            if_match: The `ETag` of the version that you change.
            body: A JSON merge patch (RFC 7396): null sets a part back to its default.

        Raises:
            ApiError: The service refused. Its class says what to do next.
        """

        return self._sender.call(
            _patch_settings.build(
                account_id=account_id,
                body=body,
                if_match=if_match,
            )
        )

    def list_settings_versions(
        self,
        account_id: str,
        *,
        cursor: str | Unset = UNSET,
        limit: int | Unset = UNSET,
        order: ListSettingsVersionsOrder | Unset = UNSET,
        since: datetime.datetime | Unset = UNSET,
        until: datetime.datetime | Unset = UNSET,
        count: bool | Unset = UNSET,
    ) -> SettingsVersionPage:
        """Return all versions of the settings, each with its author. Their time is `updated_at`.

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
            _list_settings_versions.build(
                account_id=account_id,
                cursor=cursor,
                limit=limit,
                order=order,
                since=since,
                until=until,
                count=count,
            )
        )

    def preview_settings(
        self,
        account_id: str,
        *,
        body: PreviewIn,
        cursor: str | Unset = UNSET,
        limit: int | Unset = UNSET,
    ) -> Preview:
        """Return what other settings would change, computed by the same function as in a run. Nothing
        is stored.

        Every page has the counts of the whole firm. A cursor is valid only for the same candidate
        and while the current settings do not change.

        With `Accept: text/event-stream` the response is a stream of server-sent events. Those named
        `summary` have the counts of the people who were assessed so far. The last one is named
        `preview` and has the whole response; a stream that ends without it was cut off.

        Args:
            account_id: Levitate's id of the account.
            cursor: `next_cursor` of the previous page. Leave it out for the first page.
            limit: The maximum number of items, 1 to 200.
            body: The settings to preview. They are not stored.

        Raises:
            ApiError: The service refused. Its class says what to do next.
        """

        return self._sender.call(
            _preview_settings.build(
                account_id=account_id,
                body=body,
                cursor=cursor,
                limit=limit,
            )
        )

    def get_catalog(
        self,
        account_id: str,
    ) -> Catalog:
        """Return the custom fields, practice areas, stages and users of the firm's Clio, as of the
        last run.

        Args:
            account_id: Levitate's id of the account.

        Raises:
            ApiError: The service refused. Its class says what to do next.
        """

        return self._sender.call(
            _get_catalog.build(
                account_id=account_id,
            )
        )


class AsyncSettingsOperations:
    """The operations of the group `settings`."""

    def __init__(self, sender: AsyncSender) -> None:
        self._sender = sender

    async def get_settings(
        self,
        account_id: str,
    ) -> SettingsVersion:
        """Return the current settings. Version 1 has the defaults.

        Args:
            account_id: Levitate's id of the account.

        Raises:
            ApiError: The service refused. Its class says what to do next.
        """

        return await self._sender.call(
            _get_settings.build(
                account_id=account_id,
            )
        )

    async def put_settings(
        self,
        account_id: str,
        *,
        body: Settings,
        if_match: str,
    ) -> SettingsSaved:
        """Replace all settings. If the change can affect contacts, all are assessed again, without
        requests to Clio.

        Args:
            account_id: Levitate's id of the account.
            if_match: The `ETag` of the version that you change.
            body: All settings of a firm. In a request, a field that is left out usually gets its
                default value.

        Raises:
            ApiError: The service refused. Its class says what to do next.
        """

        return await self._sender.call(
            _put_settings.build(
                account_id=account_id,
                body=body,
                if_match=if_match,
            )
        )

    async def patch_settings(
        self,
        account_id: str,
        *,
        body: Any,
        if_match: str,
    ) -> SettingsSaved:
        """Change some settings. If the change can affect contacts, all are assessed again, without
        requests to Clio.

        Args:
            account_id: Levitate's id of the account.
            if_match: The `ETag` of the version that you change.
            body: A JSON merge patch (RFC 7396): null sets a part back to its default.

        Raises:
            ApiError: The service refused. Its class says what to do next.
        """

        return await self._sender.call(
            _patch_settings.build(
                account_id=account_id,
                body=body,
                if_match=if_match,
            )
        )

    async def list_settings_versions(
        self,
        account_id: str,
        *,
        cursor: str | Unset = UNSET,
        limit: int | Unset = UNSET,
        order: ListSettingsVersionsOrder | Unset = UNSET,
        since: datetime.datetime | Unset = UNSET,
        until: datetime.datetime | Unset = UNSET,
        count: bool | Unset = UNSET,
    ) -> SettingsVersionPage:
        """Return all versions of the settings, each with its author. Their time is `updated_at`.

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
            _list_settings_versions.build(
                account_id=account_id,
                cursor=cursor,
                limit=limit,
                order=order,
                since=since,
                until=until,
                count=count,
            )
        )

    async def preview_settings(
        self,
        account_id: str,
        *,
        body: PreviewIn,
        cursor: str | Unset = UNSET,
        limit: int | Unset = UNSET,
    ) -> Preview:
        """Return what other settings would change, computed by the same function as in a run. Nothing
        is stored.

        Every page has the counts of the whole firm. A cursor is valid only for the same candidate
        and while the current settings do not change.

        With `Accept: text/event-stream` the response is a stream of server-sent events. Those named
        `summary` have the counts of the people who were assessed so far. The last one is named
        `preview` and has the whole response; a stream that ends without it was cut off.

        Args:
            account_id: Levitate's id of the account.
            cursor: `next_cursor` of the previous page. Leave it out for the first page.
            limit: The maximum number of items, 1 to 200.
            body: The settings to preview. They are not stored.

        Raises:
            ApiError: The service refused. Its class says what to do next.
        """

        return await self._sender.call(
            _preview_settings.build(
                account_id=account_id,
                body=body,
                cursor=cursor,
                limit=limit,
            )
        )

    async def get_catalog(
        self,
        account_id: str,
    ) -> Catalog:
        """Return the custom fields, practice areas, stages and users of the firm's Clio, as of the
        last run.

        Args:
            account_id: Levitate's id of the account.

        Raises:
            ApiError: The service refused. Its class says what to do next.
        """

        return await self._sender.call(
            _get_catalog.build(
                account_id=account_id,
            )
        )
