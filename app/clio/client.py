"""`ClioClient`: what this service asks of Clio, as one user; what it writes is what `writes` lists [FQ-1]."""

import json
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import httpx

from app.clio import pagination
from app.clio.errors import ClioMisconfigured, ClioRefused, UnknownField
from app.clio.models import WhoAmI
from app.clio.resources import (
    WHO_AM_I_FIELDS,
    WHO_AM_I_PATH,
    Page,
    Resource,
    T,
)
from app.clio.responses import ClioResponse, clio_time
from app.clio.shared_limit import Lane
from app.clio.transport import ClioTransport, Usage

QueryParams = Mapping[str, str | list[str]]  # what a list is asked for beside its own parameters


class ClioClient:
    """Clio, as one user sees it. Several steps may share it: they share its budget."""

    def __init__(self, calls: ClioTransport) -> None:
        self._calls = calls
        self.dropped: set[str] = set()

    def in_lane(self, lane: Lane) -> "ClioClient":
        """The same Clio, seen by the same user, with another right of way; what it uses is counted by itself."""
        other = ClioClient(self._calls.in_lane(lane))
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
        """Yield the pages of a list, from `cursor` if one is given; each is whole, and the walk moves on."""
        walk = pagination.PaginationGuard(resource, cursor)
        moments = {"updated_since": since, "created_since": created_since}
        asked = {name: format_utc(moment) for name, moment in moments.items() if moment is not None}
        while True:
            there = {} if cursor is None else {"page_token": cursor}
            page = await self._page(resource, {**asked, **there})
            walk.check(page)
            yield page
            if page.cursor is None:
                return
            cursor = page.cursor

    async def some(self, resource: Resource[T], clio_ids: Sequence[int]) -> Page[T]:
        """Those of these records (at most 50) that the user is shown."""
        return await self._page(resource, {"ids[]": [str(clio_id) for clio_id in clio_ids]})

    async def one(self, resource: Resource[T], clio_id: int) -> T:
        """One record. Raises ClioRefused: `clio_not_found`, or `clio_forbidden`; ClioUnreadable."""
        while True:
            params = {"fields": pagination.field_list(resource, self.dropped)}
            path = f"{resource.path.removesuffix('.json')}/{clio_id}.json"
            try:
                answer = await self._calls.get(self._calls.address(path, params))
            except UnknownField as unknown:
                self._drop(resource, unknown)
                continue
            record: T = pagination.parse_one(resource.model, answer.body)
            return record

    async def who_am_i(self) -> WhoAmI:
        """The user whose token this is, and the firm."""
        url = self._calls.address(WHO_AM_I_PATH, {"fields": WHO_AM_I_FIELDS})
        answer = await self._calls.get(url)
        me: WhoAmI = pagination.parse_one(WhoAmI, answer.body)
        return me

    async def sees_contact(self, contact_id: int) -> bool:
        """Whether the contact exists and this user may see it."""
        url = self._calls.address(f"/api/v4/contacts/{contact_id}.json", {"fields": "id"})
        try:
            await self._calls.get(url)
        except ClioRefused as refusal:
            if refusal.status in (403, 404):
                return False
            raise
        return True

    async def write(
        self, method: str, path: str, document: Any = None, *, fields: str = "id"
    ) -> ClioResponse:
        """One write, sent once: see `Calls.write`."""
        content = None if document is None else json.dumps({"data": document}).encode()
        return await self._calls.write(
            method, self._calls.address(path, {"fields": fields}), content
        )

    def take_usage(self) -> Usage:
        """What was used since this was last taken."""
        return self._calls.take_usage()

    def expected_seconds(self, calls: int, *, in_a_row: int) -> float:
        """How long so many more calls will take: see `Calls.expected_seconds`."""
        return self._calls.expected_seconds(calls, in_a_row=in_a_row)

    async def _page(self, resource: Resource[T], asked: QueryParams) -> Page[T]:
        while True:
            try:
                return await self._asked_page(resource, asked)
            except UnknownField as unknown:
                self._drop(resource, unknown)

    async def _asked_page(self, resource: Resource[T], asked: QueryParams) -> Page[T]:
        fields = pagination.field_list(resource, self.dropped)
        params = {**resource.params, "fields": fields, **asked}
        url = self._calls.address(resource.path, params)

        def parse(answer: ClioResponse, address: httpx.URL) -> Page[T]:
            asked = clio_time(answer.headers, self._calls.clock.now())
            return pagination.parse_page(resource, answer.body, address=address, asked_at=asked)

        return await self._calls.read(url, parse)

    def _drop(self, resource: Resource[Any], unknown: UnknownField) -> None:
        """Leave out a name that Clio stopped knowing, if we can do without; one bad name fails the whole call."""
        name = unknown.field.strip("{} ")
        if name not in resource.droppable or f"{resource.name}.{name}" in self.dropped:
            raise ClioMisconfigured(
                f"Clio no longer knows a field of {resource.name} that is needed"
            ) from unknown
        self.dropped.add(f"{resource.name}.{name}")


def format_utc(moment: datetime) -> str:
    """A moment as a query string bears it: a `+` would arrive as a space."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
