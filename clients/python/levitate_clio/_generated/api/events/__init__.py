"""The operations of the group `events`: one class for `Clio`, one for `AsyncClio`."""

import datetime

from levitate_clio._call import AsyncSender, Sender

from ...models.delivery import Delivery
from ...models.delivery_page import DeliveryPage
from ...models.event_kind import EventKind
from ...models.event_page import EventPage
from ...models.list_deliveries_order import ListDeliveriesOrder
from ...models.list_deliveries_status import ListDeliveriesStatus
from ...models.list_webhook_endpoints_order import ListWebhookEndpointsOrder
from ...models.redelivery_in import RedeliveryIn
from ...models.webhook_endpoint import WebhookEndpoint
from ...models.webhook_endpoint_in import WebhookEndpointIn
from ...models.webhook_endpoint_page import WebhookEndpointPage
from ...models.webhook_endpoint_patch import WebhookEndpointPatch
from ...models.webhook_endpoint_test import WebhookEndpointTest
from ...models.webhook_endpoint_with_secret import WebhookEndpointWithSecret
from ...types import UNSET, Unset
from . import create_webhook_endpoint as _create_webhook_endpoint
from . import delete_webhook_endpoint as _delete_webhook_endpoint
from . import enable_webhook_endpoint as _enable_webhook_endpoint
from . import get_webhook_endpoint as _get_webhook_endpoint
from . import list_deliveries as _list_deliveries
from . import list_events as _list_events
from . import list_webhook_endpoints as _list_webhook_endpoints
from . import patch_webhook_endpoint as _patch_webhook_endpoint
from . import redeliver_deliveries as _redeliver_deliveries
from . import redeliver_delivery as _redeliver_delivery
from . import rotate_webhook_secret as _rotate_webhook_secret
from . import send_test_event as _send_test_event


class EventsOperations:
    """The operations of the group `events`."""

    def __init__(self, sender: Sender) -> None:
        self._sender = sender

    def list_events(
        self,
        *,
        wait: int | Unset = UNSET,
        type_: EventKind | Unset = UNSET,
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
            type_: The kind of an event.
            account_id: Only events of this account.
            cursor: `next_cursor` of the previous page. Leave it out for the first page.
            limit: The maximum number of items, 1 to 200.

        Raises:
            ApiError: The service refused. Its class says what to do next.
        """

        return self._sender.call(
            _list_events.build(
                wait=wait,
                type_=type_,
                account_id=account_id,
                cursor=cursor,
                limit=limit,
            )
        )

    def list_webhook_endpoints(
        self,
        *,
        cursor: str | Unset = UNSET,
        limit: int | Unset = UNSET,
        order: ListWebhookEndpointsOrder | Unset = UNSET,
        since: datetime.datetime | Unset = UNSET,
        until: datetime.datetime | Unset = UNSET,
        count: bool | Unset = UNSET,
    ) -> WebhookEndpointPage:
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
            _list_webhook_endpoints.build(
                cursor=cursor,
                limit=limit,
                order=order,
                since=since,
                until=until,
                count=count,
            )
        )

    def create_webhook_endpoint(
        self,
        *,
        body: WebhookEndpointIn,
    ) -> WebhookEndpointWithSecret:
        """Add a webhook endpoint for events of this token's accounts.

        Use the secret to verify the signatures. It is shown only in this response.

        Args:
            body: A webhook endpoint to add.

        Raises:
            ApiError: The service refused. Its class says what to do next.
        """

        return self._sender.call(
            _create_webhook_endpoint.build(
                body=body,
            )
        )

    def get_webhook_endpoint(
        self,
        endpoint_id: str,
    ) -> WebhookEndpoint:
        """Return one webhook endpoint, with its problem if it has one.

        Args:
            endpoint_id: The id of the webhook endpoint (`whe_…`).

        Raises:
            ApiError: The service refused. Its class says what to do next.
        """

        return self._sender.call(
            _get_webhook_endpoint.build(
                endpoint_id=endpoint_id,
            )
        )

    def delete_webhook_endpoint(
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
            _delete_webhook_endpoint.build(
                endpoint_id=endpoint_id,
            )
        )

    def patch_webhook_endpoint(
        self,
        endpoint_id: str,
        *,
        body: WebhookEndpointPatch,
    ) -> WebhookEndpoint:
        """Change the URL, the events or the description of a webhook endpoint. The secret stays.

        Events that wait are posted to the new URL. Other events are sent from now on.

        Args:
            endpoint_id: The id of the webhook endpoint (`whe_…`).
            body: The changes of a webhook endpoint. What is left out or null stays as it is.

        Raises:
            ApiError: The service refused. Its class says what to do next.
        """

        return self._sender.call(
            _patch_webhook_endpoint.build(
                endpoint_id=endpoint_id,
                body=body,
            )
        )

    def rotate_webhook_secret(
        self,
        endpoint_id: str,
    ) -> WebhookEndpointWithSecret:
        """Create a new secret. It is shown only in this response.

        For one day, every event is signed with the old secret too. If the response is lost, rotate
        again: the secret that the receiver has stays valid for its day.

        Args:
            endpoint_id: The id of the webhook endpoint (`whe_…`).

        Raises:
            ApiError: The service refused. Its class says what to do next.
        """

        return self._sender.call(
            _rotate_webhook_secret.build(
                endpoint_id=endpoint_id,
            )
        )

    def enable_webhook_endpoint(
        self,
        endpoint_id: str,
    ) -> WebhookEndpoint:
        """Enable a webhook endpoint again. Waiting events are delivered first, with the same ids.

        Args:
            endpoint_id: The id of the webhook endpoint (`whe_…`).

        Raises:
            ApiError: The service refused. Its class says what to do next.
        """

        return self._sender.call(
            _enable_webhook_endpoint.build(
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
        type_: EventKind | Unset = UNSET,
        account_id: str | Unset = UNSET,
    ) -> DeliveryPage:
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
            type_: The kind of an event.
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

    def redeliver_delivery(
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
            _redeliver_delivery.build(
                delivery_id=delivery_id,
            )
        )

    def send_test_event(
        self,
        endpoint_id: str,
    ) -> WebhookEndpointTest:
        """Post an event of type `ping` to a webhook endpoint now, and return what came back.

        It is signed like every event, also if the endpoint is disabled, and it is stored nowhere.
        Its `data` has `endpoint_id`. The response comes after 10 seconds at the latest. If it
        succeeds, a pause of the endpoint ends, and the events that wait are sent.

        Args:
            endpoint_id: The id of the webhook endpoint (`whe_…`).

        Raises:
            ApiError: The service refused. Its class says what to do next.
        """

        return self._sender.call(
            _send_test_event.build(
                endpoint_id=endpoint_id,
            )
        )

    def redeliver_deliveries(
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
            _redeliver_deliveries.build(
                endpoint_id=endpoint_id,
                body=body,
            )
        )


class AsyncEventsOperations:
    """The operations of the group `events`."""

    def __init__(self, sender: AsyncSender) -> None:
        self._sender = sender

    async def list_events(
        self,
        *,
        wait: int | Unset = UNSET,
        type_: EventKind | Unset = UNSET,
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
            type_: The kind of an event.
            account_id: Only events of this account.
            cursor: `next_cursor` of the previous page. Leave it out for the first page.
            limit: The maximum number of items, 1 to 200.

        Raises:
            ApiError: The service refused. Its class says what to do next.
        """

        return await self._sender.call(
            _list_events.build(
                wait=wait,
                type_=type_,
                account_id=account_id,
                cursor=cursor,
                limit=limit,
            )
        )

    async def list_webhook_endpoints(
        self,
        *,
        cursor: str | Unset = UNSET,
        limit: int | Unset = UNSET,
        order: ListWebhookEndpointsOrder | Unset = UNSET,
        since: datetime.datetime | Unset = UNSET,
        until: datetime.datetime | Unset = UNSET,
        count: bool | Unset = UNSET,
    ) -> WebhookEndpointPage:
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
            _list_webhook_endpoints.build(
                cursor=cursor,
                limit=limit,
                order=order,
                since=since,
                until=until,
                count=count,
            )
        )

    async def create_webhook_endpoint(
        self,
        *,
        body: WebhookEndpointIn,
    ) -> WebhookEndpointWithSecret:
        """Add a webhook endpoint for events of this token's accounts.

        Use the secret to verify the signatures. It is shown only in this response.

        Args:
            body: A webhook endpoint to add.

        Raises:
            ApiError: The service refused. Its class says what to do next.
        """

        return await self._sender.call(
            _create_webhook_endpoint.build(
                body=body,
            )
        )

    async def get_webhook_endpoint(
        self,
        endpoint_id: str,
    ) -> WebhookEndpoint:
        """Return one webhook endpoint, with its problem if it has one.

        Args:
            endpoint_id: The id of the webhook endpoint (`whe_…`).

        Raises:
            ApiError: The service refused. Its class says what to do next.
        """

        return await self._sender.call(
            _get_webhook_endpoint.build(
                endpoint_id=endpoint_id,
            )
        )

    async def delete_webhook_endpoint(
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
            _delete_webhook_endpoint.build(
                endpoint_id=endpoint_id,
            )
        )

    async def patch_webhook_endpoint(
        self,
        endpoint_id: str,
        *,
        body: WebhookEndpointPatch,
    ) -> WebhookEndpoint:
        """Change the URL, the events or the description of a webhook endpoint. The secret stays.

        Events that wait are posted to the new URL. Other events are sent from now on.

        Args:
            endpoint_id: The id of the webhook endpoint (`whe_…`).
            body: The changes of a webhook endpoint. What is left out or null stays as it is.

        Raises:
            ApiError: The service refused. Its class says what to do next.
        """

        return await self._sender.call(
            _patch_webhook_endpoint.build(
                endpoint_id=endpoint_id,
                body=body,
            )
        )

    async def rotate_webhook_secret(
        self,
        endpoint_id: str,
    ) -> WebhookEndpointWithSecret:
        """Create a new secret. It is shown only in this response.

        For one day, every event is signed with the old secret too. If the response is lost, rotate
        again: the secret that the receiver has stays valid for its day.

        Args:
            endpoint_id: The id of the webhook endpoint (`whe_…`).

        Raises:
            ApiError: The service refused. Its class says what to do next.
        """

        return await self._sender.call(
            _rotate_webhook_secret.build(
                endpoint_id=endpoint_id,
            )
        )

    async def enable_webhook_endpoint(
        self,
        endpoint_id: str,
    ) -> WebhookEndpoint:
        """Enable a webhook endpoint again. Waiting events are delivered first, with the same ids.

        Args:
            endpoint_id: The id of the webhook endpoint (`whe_…`).

        Raises:
            ApiError: The service refused. Its class says what to do next.
        """

        return await self._sender.call(
            _enable_webhook_endpoint.build(
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
        type_: EventKind | Unset = UNSET,
        account_id: str | Unset = UNSET,
    ) -> DeliveryPage:
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
            type_: The kind of an event.
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

    async def redeliver_delivery(
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
            _redeliver_delivery.build(
                delivery_id=delivery_id,
            )
        )

    async def send_test_event(
        self,
        endpoint_id: str,
    ) -> WebhookEndpointTest:
        """Post an event of type `ping` to a webhook endpoint now, and return what came back.

        It is signed like every event, also if the endpoint is disabled, and it is stored nowhere.
        Its `data` has `endpoint_id`. The response comes after 10 seconds at the latest. If it
        succeeds, a pause of the endpoint ends, and the events that wait are sent.

        Args:
            endpoint_id: The id of the webhook endpoint (`whe_…`).

        Raises:
            ApiError: The service refused. Its class says what to do next.
        """

        return await self._sender.call(
            _send_test_event.build(
                endpoint_id=endpoint_id,
            )
        )

    async def redeliver_deliveries(
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
            _redeliver_deliveries.build(
                endpoint_id=endpoint_id,
                body=body,
            )
        )
