"""The operations of the group `events`: one class for `Clio`, one for `AsyncClio`."""

import datetime

from levitate_clio._call import AsyncSender, Sender

from ...models.delivery import Delivery
from ...models.endpoint import Endpoint
from ...models.endpoint_in import EndpointIn
from ...models.endpoint_patch import EndpointPatch
from ...models.endpoint_test import EndpointTest
from ...models.endpoint_with_secret import EndpointWithSecret
from ...models.event_page import EventPage
from ...models.list_deliveries_order import ListDeliveriesOrder
from ...models.list_deliveries_status import ListDeliveriesStatus
from ...models.list_endpoints_order import ListEndpointsOrder
from ...models.page_delivery import PageDelivery
from ...models.page_endpoint import PageEndpoint
from ...models.redelivery_in import RedeliveryIn
from ...types import UNSET, Unset
from . import add_endpoint as _add_endpoint
from . import delete_endpoint as _delete_endpoint
from . import enable_endpoint as _enable_endpoint
from . import get_endpoint as _get_endpoint
from . import list_deliveries as _list_deliveries
from . import list_endpoints as _list_endpoints
from . import patch_endpoint as _patch_endpoint
from . import read_events as _read_events
from . import redeliver as _redeliver
from . import redeliver_many as _redeliver_many
from . import rotate_secret as _rotate_secret
from . import test_endpoint as _test_endpoint


class EventsOperations:
    """The operations of the group `events`."""

    def __init__(self, sender: Sender) -> None:
        self._sender = sender

    def read_events(
        self,
        *,
        wait: int | Unset = UNSET,
        type_: str | Unset = UNSET,
        account_id: str | Unset = UNSET,
        cursor: str | Unset = UNSET,
        limit: int | Unset = UNSET,
    ) -> EventPage:
        """Return the events of the token's accounts after the cursor; without a cursor from the oldest
        that is kept.

        Events are kept for 30 days, unless the service is configured otherwise. They are the same
        that webhook endpoints get. Store `next_cursor` after each page: you then see every event at
        least once, in an order that does not change. An event is shown when all transactions that
        began before its own have ended, as a rule within a second. A page can be empty although
        `has_more` is true: continue at once. With `wait` the response to an empty page is delayed
        until there is an event. A cursor that points before what is kept gets 410.

        Args:
            wait: The seconds to wait for an event if there is none, 0 to 30.
            type_: Only events of this type, for example `client.new`.
            account_id: Only events of this account.
            cursor: `next_cursor` of the previous page. Leave it out for the first page.
            limit: The maximum number of items, 1 to 200.

        Raises:
            ApiError: The service refused. Its class says what to do next.
        """

        return self._sender.call(
            _read_events.build(
                wait=wait,
                type_=type_,
                account_id=account_id,
                cursor=cursor,
                limit=limit,
            )
        )

    def list_endpoints(
        self,
        *,
        cursor: str | Unset = UNSET,
        limit: int | Unset = UNSET,
        order: ListEndpointsOrder | Unset = UNSET,
        since: datetime.datetime | Unset = UNSET,
        until: datetime.datetime | Unset = UNSET,
        count: bool | Unset = UNSET,
    ) -> PageEndpoint:
        """List the webhook endpoints of this token; a token for all accounts lists all. Their time is
        `created_at`.

        Args:
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
            _list_endpoints.build(
                cursor=cursor,
                limit=limit,
                order=order,
                since=since,
                until=until,
                count=count,
            )
        )

    def add_endpoint(
        self,
        *,
        body: EndpointIn,
    ) -> EndpointWithSecret:
        """Add a webhook endpoint for events of this token's accounts.

        Use the secret to verify the signatures. It is shown only in this response.

        Args:
            body: A webhook endpoint to add.

        Raises:
            ApiError: The service refused. Its class says what to do next.
        """

        return self._sender.call(
            _add_endpoint.build(
                body=body,
            )
        )

    def get_endpoint(
        self,
        endpoint_id: str,
    ) -> Endpoint:
        """Return one webhook endpoint, with its problem if it has one.

        Args:
            endpoint_id: The id of the webhook endpoint (`whe_…`).

        Raises:
            ApiError: The service refused. Its class says what to do next.
        """

        return self._sender.call(
            _get_endpoint.build(
                endpoint_id=endpoint_id,
            )
        )

    def delete_endpoint(
        self,
        endpoint_id: str,
    ) -> None:
        """Delete a webhook endpoint. Events that were not delivered yet are dropped.

        Args:
            endpoint_id: The id of the webhook endpoint (`whe_…`).

        Raises:
            ApiError: The service refused. Its class says what to do next.
        """

        return self._sender.call(
            _delete_endpoint.build(
                endpoint_id=endpoint_id,
            )
        )

    def patch_endpoint(
        self,
        endpoint_id: str,
        *,
        body: EndpointPatch,
    ) -> Endpoint:
        """Change the URL, the events or the description of a webhook endpoint. The secret stays.

        Events that wait are posted to the new URL. Other events are sent from now on.

        Args:
            endpoint_id: The id of the webhook endpoint (`whe_…`).
            body: The changes of a webhook endpoint. What is left out or null stays as it is.

        Raises:
            ApiError: The service refused. Its class says what to do next.
        """

        return self._sender.call(
            _patch_endpoint.build(
                endpoint_id=endpoint_id,
                body=body,
            )
        )

    def rotate_secret(
        self,
        endpoint_id: str,
    ) -> EndpointWithSecret:
        """Create a new secret. It is shown only in this response.

        For one day, every event is signed with the old secret too. If the response is lost, rotate
        again: the secret that the receiver has stays valid for its day.

        Args:
            endpoint_id: The id of the webhook endpoint (`whe_…`).

        Raises:
            ApiError: The service refused. Its class says what to do next.
        """

        return self._sender.call(
            _rotate_secret.build(
                endpoint_id=endpoint_id,
            )
        )

    def enable_endpoint(
        self,
        endpoint_id: str,
    ) -> Endpoint:
        """Enable a webhook endpoint again. Waiting events are delivered first, with the same ids.

        Args:
            endpoint_id: The id of the webhook endpoint (`whe_…`).

        Raises:
            ApiError: The service refused. Its class says what to do next.
        """

        return self._sender.call(
            _enable_endpoint.build(
                endpoint_id=endpoint_id,
            )
        )

    def list_deliveries(
        self,
        endpoint_id: str,
        *,
        cursor: str | Unset = UNSET,
        limit: int | Unset = UNSET,
        order: ListDeliveriesOrder | Unset = UNSET,
        since: datetime.datetime | Unset = UNSET,
        until: datetime.datetime | Unset = UNSET,
        count: bool | Unset = UNSET,
        status: ListDeliveriesStatus | Unset = UNSET,
        type_: str | Unset = UNSET,
        account_id: str | Unset = UNSET,
    ) -> PageDelivery:
        """List the deliveries of the last 30 days to a webhook endpoint, with their status. Their time
        is `created_at`.

        Args:
            endpoint_id: The id of the webhook endpoint (`whe_…`).
            cursor: `next_cursor` of the previous page. Leave it out for the first page.
            limit: The maximum number of items, 1 to 200.
            order: `newest` or `oldest` first, by the time of the items. Without it the list is sorted
                by id.
            since: Only items of this time or later (RFC 3339 with an offset).
            until: Only items before this time (RFC 3339 with an offset).
            count: Add `total`: how many items all pages of this list have together.
            status: Only deliveries with this status.
            type_: Only deliveries of events of this type, such as `client.new`.
            account_id: Only deliveries of this account.

        Raises:
            ApiError: The service refused. Its class says what to do next.
        """

        return self._sender.call(
            _list_deliveries.build(
                endpoint_id=endpoint_id,
                cursor=cursor,
                limit=limit,
                order=order,
                since=since,
                until=until,
                count=count,
                status=status,
                type_=type_,
                account_id=account_id,
            )
        )

    def redeliver(
        self,
        delivery_id: str,
    ) -> Delivery:
        """Send the event of a delivery again, with the same id. `Location` lists the deliveries of the
        endpoint.

        Args:
            delivery_id: The id of the delivery (`dlv_…`).

        Raises:
            ApiError: The service refused. Its class says what to do next.
        """

        return self._sender.call(
            _redeliver.build(
                delivery_id=delivery_id,
            )
        )

    def test_endpoint(
        self,
        endpoint_id: str,
    ) -> EndpointTest:
        """Post an event of type `ping` to a webhook endpoint now, and return what came back.

        It is signed like every event, also if the endpoint is disabled, and it is stored nowhere.
        Its `data` has `endpoint_id`. The response comes after 10 seconds at the latest.

        Args:
            endpoint_id: The id of the webhook endpoint (`whe_…`).

        Raises:
            ApiError: The service refused. Its class says what to do next.
        """

        return self._sender.call(
            _test_endpoint.build(
                endpoint_id=endpoint_id,
            )
        )

    def redeliver_many(
        self,
        endpoint_id: str,
        *,
        body: RedeliveryIn,
    ) -> None:
        """Send the events of some time to a webhook endpoint again, with the same ids.

        The deliveries become `pending`, the oldest first, some hundred at a time; `Location` lists
        them. What is pending already is sent in any case.

        Args:
            endpoint_id: The id of the webhook endpoint (`whe_…`).
            body: Which events are sent again.

        Raises:
            ApiError: The service refused. Its class says what to do next.
        """

        return self._sender.call(
            _redeliver_many.build(
                endpoint_id=endpoint_id,
                body=body,
            )
        )


class AsyncEventsOperations:
    """The operations of the group `events`."""

    def __init__(self, sender: AsyncSender) -> None:
        self._sender = sender

    async def read_events(
        self,
        *,
        wait: int | Unset = UNSET,
        type_: str | Unset = UNSET,
        account_id: str | Unset = UNSET,
        cursor: str | Unset = UNSET,
        limit: int | Unset = UNSET,
    ) -> EventPage:
        """Return the events of the token's accounts after the cursor; without a cursor from the oldest
        that is kept.

        Events are kept for 30 days, unless the service is configured otherwise. They are the same
        that webhook endpoints get. Store `next_cursor` after each page: you then see every event at
        least once, in an order that does not change. An event is shown when all transactions that
        began before its own have ended, as a rule within a second. A page can be empty although
        `has_more` is true: continue at once. With `wait` the response to an empty page is delayed
        until there is an event. A cursor that points before what is kept gets 410.

        Args:
            wait: The seconds to wait for an event if there is none, 0 to 30.
            type_: Only events of this type, for example `client.new`.
            account_id: Only events of this account.
            cursor: `next_cursor` of the previous page. Leave it out for the first page.
            limit: The maximum number of items, 1 to 200.

        Raises:
            ApiError: The service refused. Its class says what to do next.
        """

        return await self._sender.call(
            _read_events.build(
                wait=wait,
                type_=type_,
                account_id=account_id,
                cursor=cursor,
                limit=limit,
            )
        )

    async def list_endpoints(
        self,
        *,
        cursor: str | Unset = UNSET,
        limit: int | Unset = UNSET,
        order: ListEndpointsOrder | Unset = UNSET,
        since: datetime.datetime | Unset = UNSET,
        until: datetime.datetime | Unset = UNSET,
        count: bool | Unset = UNSET,
    ) -> PageEndpoint:
        """List the webhook endpoints of this token; a token for all accounts lists all. Their time is
        `created_at`.

        Args:
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
            _list_endpoints.build(
                cursor=cursor,
                limit=limit,
                order=order,
                since=since,
                until=until,
                count=count,
            )
        )

    async def add_endpoint(
        self,
        *,
        body: EndpointIn,
    ) -> EndpointWithSecret:
        """Add a webhook endpoint for events of this token's accounts.

        Use the secret to verify the signatures. It is shown only in this response.

        Args:
            body: A webhook endpoint to add.

        Raises:
            ApiError: The service refused. Its class says what to do next.
        """

        return await self._sender.call(
            _add_endpoint.build(
                body=body,
            )
        )

    async def get_endpoint(
        self,
        endpoint_id: str,
    ) -> Endpoint:
        """Return one webhook endpoint, with its problem if it has one.

        Args:
            endpoint_id: The id of the webhook endpoint (`whe_…`).

        Raises:
            ApiError: The service refused. Its class says what to do next.
        """

        return await self._sender.call(
            _get_endpoint.build(
                endpoint_id=endpoint_id,
            )
        )

    async def delete_endpoint(
        self,
        endpoint_id: str,
    ) -> None:
        """Delete a webhook endpoint. Events that were not delivered yet are dropped.

        Args:
            endpoint_id: The id of the webhook endpoint (`whe_…`).

        Raises:
            ApiError: The service refused. Its class says what to do next.
        """

        return await self._sender.call(
            _delete_endpoint.build(
                endpoint_id=endpoint_id,
            )
        )

    async def patch_endpoint(
        self,
        endpoint_id: str,
        *,
        body: EndpointPatch,
    ) -> Endpoint:
        """Change the URL, the events or the description of a webhook endpoint. The secret stays.

        Events that wait are posted to the new URL. Other events are sent from now on.

        Args:
            endpoint_id: The id of the webhook endpoint (`whe_…`).
            body: The changes of a webhook endpoint. What is left out or null stays as it is.

        Raises:
            ApiError: The service refused. Its class says what to do next.
        """

        return await self._sender.call(
            _patch_endpoint.build(
                endpoint_id=endpoint_id,
                body=body,
            )
        )

    async def rotate_secret(
        self,
        endpoint_id: str,
    ) -> EndpointWithSecret:
        """Create a new secret. It is shown only in this response.

        For one day, every event is signed with the old secret too. If the response is lost, rotate
        again: the secret that the receiver has stays valid for its day.

        Args:
            endpoint_id: The id of the webhook endpoint (`whe_…`).

        Raises:
            ApiError: The service refused. Its class says what to do next.
        """

        return await self._sender.call(
            _rotate_secret.build(
                endpoint_id=endpoint_id,
            )
        )

    async def enable_endpoint(
        self,
        endpoint_id: str,
    ) -> Endpoint:
        """Enable a webhook endpoint again. Waiting events are delivered first, with the same ids.

        Args:
            endpoint_id: The id of the webhook endpoint (`whe_…`).

        Raises:
            ApiError: The service refused. Its class says what to do next.
        """

        return await self._sender.call(
            _enable_endpoint.build(
                endpoint_id=endpoint_id,
            )
        )

    async def list_deliveries(
        self,
        endpoint_id: str,
        *,
        cursor: str | Unset = UNSET,
        limit: int | Unset = UNSET,
        order: ListDeliveriesOrder | Unset = UNSET,
        since: datetime.datetime | Unset = UNSET,
        until: datetime.datetime | Unset = UNSET,
        count: bool | Unset = UNSET,
        status: ListDeliveriesStatus | Unset = UNSET,
        type_: str | Unset = UNSET,
        account_id: str | Unset = UNSET,
    ) -> PageDelivery:
        """List the deliveries of the last 30 days to a webhook endpoint, with their status. Their time
        is `created_at`.

        Args:
            endpoint_id: The id of the webhook endpoint (`whe_…`).
            cursor: `next_cursor` of the previous page. Leave it out for the first page.
            limit: The maximum number of items, 1 to 200.
            order: `newest` or `oldest` first, by the time of the items. Without it the list is sorted
                by id.
            since: Only items of this time or later (RFC 3339 with an offset).
            until: Only items before this time (RFC 3339 with an offset).
            count: Add `total`: how many items all pages of this list have together.
            status: Only deliveries with this status.
            type_: Only deliveries of events of this type, such as `client.new`.
            account_id: Only deliveries of this account.

        Raises:
            ApiError: The service refused. Its class says what to do next.
        """

        return await self._sender.call(
            _list_deliveries.build(
                endpoint_id=endpoint_id,
                cursor=cursor,
                limit=limit,
                order=order,
                since=since,
                until=until,
                count=count,
                status=status,
                type_=type_,
                account_id=account_id,
            )
        )

    async def redeliver(
        self,
        delivery_id: str,
    ) -> Delivery:
        """Send the event of a delivery again, with the same id. `Location` lists the deliveries of the
        endpoint.

        Args:
            delivery_id: The id of the delivery (`dlv_…`).

        Raises:
            ApiError: The service refused. Its class says what to do next.
        """

        return await self._sender.call(
            _redeliver.build(
                delivery_id=delivery_id,
            )
        )

    async def test_endpoint(
        self,
        endpoint_id: str,
    ) -> EndpointTest:
        """Post an event of type `ping` to a webhook endpoint now, and return what came back.

        It is signed like every event, also if the endpoint is disabled, and it is stored nowhere.
        Its `data` has `endpoint_id`. The response comes after 10 seconds at the latest.

        Args:
            endpoint_id: The id of the webhook endpoint (`whe_…`).

        Raises:
            ApiError: The service refused. Its class says what to do next.
        """

        return await self._sender.call(
            _test_endpoint.build(
                endpoint_id=endpoint_id,
            )
        )

    async def redeliver_many(
        self,
        endpoint_id: str,
        *,
        body: RedeliveryIn,
    ) -> None:
        """Send the events of some time to a webhook endpoint again, with the same ids.

        The deliveries become `pending`, the oldest first, some hundred at a time; `Location` lists
        them. What is pending already is sent in any case.

        Args:
            endpoint_id: The id of the webhook endpoint (`whe_…`).
            body: Which events are sent again.

        Raises:
            ApiError: The service refused. Its class says what to do next.
        """

        return await self._sender.call(
            _redeliver_many.build(
                endpoint_id=endpoint_id,
                body=body,
            )
        )
