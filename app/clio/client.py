"""`ClioClient`: the requests of this service to Clio, as one user. `allowed_writes` lists all writes [FQ-1]."""

import json
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import httpx

from app.clio import pagination
from app.clio.call_budget import CallBudget
from app.clio.errors import ClioMisconfigured, ClioRefused, ClioUnreadable, UnknownField
from app.clio.models import WhoAmI
from app.clio.resources import (
    WHO_AM_I_FIELDS,
    WHO_AM_I_PATH,
    Page,
    Resource,
    T,
)
from app.clio.responses import ClioResponse, clio_time
from app.clio.transport import ClioTransport, Usage
from app.lanes import Lane

QueryParams = Mapping[str, str | list[str]]  # in addition to the resource's own parameters


class ClioClient:
    """Clio as one user sees it. Steps that share a client share its rate limit."""

    def __init__(self, transport: ClioTransport) -> None:
        self._transport = transport
        self.dropped: set[str] = set()

    def in_lane(self, lane: Lane) -> "ClioClient":
        """Return a client for the same user with another priority. It counts its own usage."""
        other = ClioClient(self._transport.in_lane(lane))
        other.dropped = self.dropped
        return other

    async def pages(
        self,
        resource: Resource[T],
        *,
        since: datetime | None = None,
        created_since: datetime | None = None,
        cursor: str | None = None,
    ) -> AsyncIterator[Page[T]]:
        """Yield the complete pages of a list, from `cursor` if given. Raise ClioUnreadable if the list does not end."""
        guard = pagination.PaginationGuard(resource, cursor)
        times = {"updated_since": since, "created_since": created_since}
        filters = {name: format_utc(time) for name, time in times.items() if time is not None}
        while True:
            position = {} if cursor is None else {"page_token": cursor}
            page = await self._page(resource, {**filters, **position})
            guard.check(page)
            yield page
            if page.cursor is None:
                return
            cursor = page.cursor

    async def get_many(self, resource: Resource[T], clio_ids: Sequence[int]) -> Page[T]:
        """Return those of these records (at most 50 ids) that the user can see."""
        self._count_records(len(clio_ids))
        return await self._page(resource, {"ids[]": [str(clio_id) for clio_id in clio_ids]})

    async def get_one(self, resource: Resource[T], clio_id: int) -> T:
        """Return one record. Raise ClioRefused with `clio_not_found` or `clio_forbidden`, or RecordUnreadable."""
        self._count_records(1)
        while True:
            params = {"fields": pagination.field_list(resource, self.dropped)}
            path = f"{resource.path.removesuffix('.json')}/{clio_id}.json"
            try:
                record = await self._transport.get(self._transport.address(path, params))
            except UnknownField as unknown:
                self._drop(resource, unknown)
                continue
            return pagination.read_record(resource.model, record)

    async def who_am_i(self) -> WhoAmI:
        """Return the user of this token, and the firm."""
        url = self._transport.address(WHO_AM_I_PATH, {"fields": WHO_AM_I_FIELDS})
        try:
            return pagination.read_record(WhoAmI, await self._transport.get(url))
        except UnknownField as unknown:
            text = "Clio no longer knows a field of its users that this service needs"
            raise ClioMisconfigured(text) from unknown

    async def sees_contact(self, contact_id: int) -> bool:
        """Return whether the contact exists and this user can see it."""
        url = self._transport.address(f"/api/v4/contacts/{contact_id}.json", {"fields": "id"})
        try:
            record = await self._transport.get(url)
        except ClioRefused as refusal:
            if refusal.status in (403, 404):
                return False
            raise
        if record.get("id") != contact_id:
            raise ClioUnreadable("Clio returned another contact than the one that was requested")
        return True

    async def write(
        self, method: str, path: str, document: Any = None, *, fields: str = "id"
    ) -> dict[str, Any]:
        """Send one write, once, and return the written record with these fields: see `ClioTransport.write`."""
        content = json.dumps({"data": document}).encode()
        url = self._transport.address(path, {"fields": fields})
        return await self._transport.write(method, url, content)

    async def delete(self, path: str) -> None:
        """Delete a record, once: see `ClioTransport.write`. Clio returns no record, so no fields are named."""
        await self._transport.write("DELETE", self._transport.address(path, {}), None)

    def take_usage(self) -> Usage:
        """Return the usage since the last call of this method, and reset it."""
        return self._transport.take_usage()

    def within(self, budget: CallBudget | None) -> None:
        """Let the requests from now on be counted in this budget."""
        self._transport.within(budget)

    async def reserve(self) -> None:
        """Reserve the next request in advance: see `ClioTransport.reserve`."""
        await self._transport.reserve()

    def give_back(self) -> None:
        """Give back a reserved request if it was not sent."""
        self._transport.give_back()

    def expected_seconds(self, calls: int, *, in_a_row: int) -> float:
        """Return how long `calls` more requests will take: see `ClioTransport.expected_seconds`."""
        return self._transport.expected_seconds(calls, in_a_row=in_a_row)

    def _count_records(self, count: int) -> None:
        if self._transport.budget is not None:
            self._transport.budget.begin_records(count)

    async def _page(self, resource: Resource[T], query: QueryParams) -> Page[T]:
        while True:
            try:
                return await self._request_page(resource, query)
            except UnknownField as unknown:
                self._drop(resource, unknown)

    async def _request_page(self, resource: Resource[T], query: QueryParams) -> Page[T]:
        fields = pagination.field_list(resource, self.dropped)
        params = {**resource.params, "fields": fields, **query}
        url = self._transport.address(resource.path, params)

        def parse(response: ClioResponse, address: httpx.URL) -> Page[T]:
            asked_at = clio_time(response.headers, self._transport.clock.now())
            return pagination.parse_page(
                resource, response.body, address=address, asked_at=asked_at
            )

        try:
            return await self._transport.read(url, parse)
        except ClioRefused as refusal:
            if refusal.code != "clio_not_found":
                raise
            # Clio has all these lists, so this says nothing about their records
            text = f"{resource.name}: Clio says that it has no such list"
            raise ClioUnreadable(text) from refusal

    def _drop(self, resource: Resource[Any], unknown: UnknownField) -> None:
        """Stop requesting a field that Clio no longer knows, if it is not needed. One unknown field fails a request."""
        name = unknown.field.strip("{} ")
        if name not in resource.droppable or f"{resource.name}.{name}" in self.dropped:
            raise ClioMisconfigured(
                f"Clio no longer knows a field of {resource.name} that this service needs"
            ) from unknown
        self.dropped.add(f"{resource.name}.{name}")


def format_utc(moment: datetime) -> str:
    """Return a time for a query string, in UTC with `Z`, because a `+` would arrive as a space."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
