"""Simulated webhooks: subscriptions, the handshake, signed deliveries and faults of deliveries.

The handshake is tried before the create request is answered, as Clio does (clio.md §15). Unlike Clio, plain http is
accepted for an address on this machine.
"""

import hashlib
import hmac
import json
import re
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any
from urllib.parse import urlsplit

import httpx
from fastapi import Request, Response

from app.simulator.http import responses
from app.simulator.http.oauth import Grant
from app.simulator.http.requests import parse_data
from app.simulator.store import field_selection
from app.simulator.store.firm import Firm
from app.simulator.store.refusals import InvalidArgument, InvalidFields, forbidden, not_found

PATH = re.compile(r"/api/v4/webhooks(/(?P<id>\d+)(?P<activate>/activate)?)?(\.json)?")
MODELS = {
    "matter": 1, "activity": 2, "bill": 3, "calendar_entry": 4, "communication": 5, "contact": 6, "task": 7,
    "document": 8, "folder": 9, "clio_payments_payment": 10,
}  # fmt: skip
EVENTS = ("created", "updated", "deleted")
MATTER_EVENTS = ("matter_opened", "matter_pended", "matter_closed")
FIELDS = ("id", "etag", "url", "model", "events", "fields", "status", "shared_secret",
          "created_at", "updated_at", "expires_at")  # fmt: skip
DEFAULT_LIFE, LONGEST_LIFE = timedelta(days=3), timedelta(days=31)
TRIES, FIRST_PAUSE = 5, timedelta(minutes=2)
LOOPBACK = ("127.0.0.1", "::1", "localhost")


@dataclass
class Subscription:
    """A webhook subscription, and the last reported fields of each record."""

    id: int
    firm: Firm
    user_id: int
    url: str
    model: str
    events: list[str]
    fields: str
    expires_at: datetime
    created_at: datetime
    status: str = "pending"
    secret: str = field(default_factory=lambda: secrets.token_hex(32))
    reported: dict[int, Any] = field(default_factory=dict)


@dataclass
class Delivery:
    """A request to a webhook that is due at a time."""

    hook: Subscription
    body: bytes
    due_at: datetime
    tries: int = 0


@dataclass
class DeliveryFaults:
    """The faults of deliveries, and whether responses contain the shared secret."""

    loses: bool = False
    copies: int = 1
    reorders: bool = False
    tells_secret: bool = True


class Webhooks:
    """The subscriptions of all firms. `transport` sends deliveries to a receiver in the same process."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self.hooks: dict[int, Subscription] = {}
        self.deliveries: list[Delivery] = []
        self.switches = DeliveryFaults()
        self.transport: httpx.AsyncBaseTransport | None = None
        self._now = now
        self._ids = count(7001)

    def watch(self, firm: Firm) -> None:
        """Report changes of a firm's records from now on."""
        firm.watchers.append(
            lambda event, kind, record: self._record_changed(firm, event, kind, record)
        )

    # --- the API ---------------------------------------------------------------------------------

    async def answer(self, request: Request, grant: Grant) -> Response:
        """Answer any request about webhooks. A user sees the user's own subscriptions only."""
        found = PATH.fullmatch(request.url.path)
        if found is None:
            raise not_found("Not found")
        asked = _asked(request.query_params.get("fields"))
        if found["id"] is None:
            return await self._collection(request, grant, asked)
        hook = self.hooks.get(int(found["id"]))
        if hook is None or (hook.firm, hook.user_id) != (grant.firm, grant.user_id):
            raise not_found()
        if request.method == "DELETE" and not found["activate"]:
            del self.hooks[hook.id]
            return Response(status_code=204)
        await self._act_on(hook, request, activates=bool(found["activate"]))
        return responses.Json({"data": self._render(hook, asked)})

    async def _act_on(self, hook: Subscription, request: Request, *, activates: bool) -> None:
        match request.method, activates:
            case "GET", False:
                pass
            case "PATCH", False:
                await self._change(hook, await _data(request))
            case "PUT", True:
                if not hmac.compare_digest(request.headers.get("x-hook-secret", ""), hook.secret):
                    raise forbidden()
                hook.status = "enabled"
            case _:
                raise not_found("Not found")

    async def _collection(self, request: Request, grant: Grant, asked: tuple[str, ...]) -> Response:
        if request.method == "GET":
            own = [
                h for h in self.hooks.values() if (h.firm, h.user_id) == (grant.firm, grant.user_id)
            ]
            return responses.Json(
                {"data": [self._render(hook, asked) for hook in own], "meta": {"paging": {}}}
            )
        if request.method != "POST":
            raise not_found("Not found")
        hook = self._new_subscription(await _data(request), grant)
        self.hooks[hook.id] = hook
        await self._handshake(hook)
        return responses.Json({"data": self._render(hook, asked)}, 201)

    def _new_subscription(self, data: Mapping[str, Any], grant: Grant) -> Subscription:
        model = {str(number): name for name, number in MODELS.items()}.get(
            str(data.get("model")), data.get("model")
        )
        if model not in MODELS:
            raise InvalidArgument("model is not a valid argument")
        events, watched = data.get("events"), data.get("fields")
        allowed = (*EVENTS, *(MATTER_EVENTS if model == "matter" else ()))
        if not isinstance(events, list) or not events or not set(events) <= set(allowed):
            raise InvalidArgument("events are not valid for this model")
        if not isinstance(watched, str) or not 0 < len(watched) <= 1000:
            raise InvalidArgument("fields are required, of at most 1000 characters")
        if model in ("contact", "matter"):
            field_selection.parse(model, watched)
        now = self._now()
        return Subscription(
            next(self._ids), grant.firm, grant.user_id, _url(data), str(model), list(events), watched,
            self._expiry(data, now + DEFAULT_LIFE), now,
        )  # fmt: skip

    async def _change(self, hook: Subscription, data: Mapping[str, Any]) -> None:
        hook.expires_at = self._expiry(data, hook.expires_at)
        if "url" in data and _url(data) != hook.url:
            hook.url, hook.status = _url(data), "pending"
            await self._handshake(hook)

    def _expiry(self, data: Mapping[str, Any], default: datetime) -> datetime:
        if "expires_at" not in data:
            return default
        try:
            asked = datetime.fromisoformat(str(data["expires_at"]))
        except ValueError as error:
            raise InvalidArgument("expires_at is not a time") from error
        if asked.tzinfo is None:
            asked = asked.replace(tzinfo=UTC)
        if asked > self._now() + LONGEST_LIFE:
            raise InvalidArgument("expires_at is more than 31 days away")
        return asked

    def _render(self, hook: Subscription, asked: tuple[str, ...]) -> dict[str, Any]:
        fields = {
            "id": hook.id,
            "etag": f'"{hook.id}-{hook.status}"',
            "url": hook.url,
            "model": hook.model,
            "events": hook.events,
            "fields": hook.fields,
            "status": hook.status,
            "created_at": hook.firm.format_time(hook.created_at),
            "updated_at": hook.firm.format_time(self._now()),
            "expires_at": hook.firm.format_time(hook.expires_at),
            **({"shared_secret": hook.secret} if self.switches.tells_secret else {}),
        }
        return {name: fields[name] for name in asked if name in fields}

    async def _handshake(self, hook: Subscription) -> None:
        body = json.dumps({"data": {"webhook_id": hook.id}}).encode()
        answer = await self._post(hook.url, body, {"X-Hook-Secret": hook.secret})
        confirmed = answer is not None and answer.headers.get("x-hook-secret") == hook.secret
        if confirmed and answer is not None and answer.status_code == 200:
            hook.status = "enabled"

    # --- deliveries ----------------------------------------------------------------------------

    def _record_changed(self, firm: Firm, event: str, kind: str, record: Mapping[str, Any]) -> None:
        for hook in self.hooks.values():
            if hook.firm is firm and hook.model == kind and event in hook.events:
                data = self._report(hook, event, kind, record)
                if data is not None:
                    meta = {"event": event, "webhook_id": hook.id}
                    body = json.dumps({"data": data, "meta": meta}).encode()
                    self.deliveries.append(Delivery(hook, body, self._now()))

    def _report(
        self, hook: Subscription, event: str, kind: str, record: Mapping[str, Any]
    ) -> dict[str, Any] | None:
        """Return the data to report; None if no watched field changed or the user cannot see the record.

        The first event of a record is always reported.
        """
        if event == "deleted":
            return {"id": record["id"], "etag": record["etag"]}
        if not hook.firm.sees(hook.user_id, kind, record["id"]):
            return None
        selection = field_selection.parse(kind, hook.fields)
        fields = field_selection.render(hook.firm, hook.user_id, kind, dict(record), selection)
        if hook.reported.get(record["id"]) == fields:
            return None
        hook.reported[record["id"]] = fields
        return {"id": record["id"], "etag": record["etag"], **fields}

    async def deliver(self) -> int:
        """Send the due deliveries, with the faults that are on. Return the number of requests sent."""
        now, posts = self._now(), 0
        due = [delivery for delivery in self.deliveries if delivery.due_at <= now]
        self.deliveries = [delivery for delivery in self.deliveries if delivery.due_at > now]
        if self.switches.reorders:
            due.reverse()
        for delivery in due:
            hook = delivery.hook
            if hook.status != "enabled" or hook.expires_at <= now or hook.id not in self.hooks:
                continue
            if self.switches.loses:
                continue
            for _ in range(self.switches.copies):
                posts += 1
                await self._send(delivery, now)
        return posts

    async def _send(self, delivery: Delivery, now: datetime) -> None:
        hook = delivery.hook
        signature = hmac.new(hook.secret.encode(), delivery.body, hashlib.sha256).hexdigest()
        answer = await self._post(hook.url, delivery.body, {"X-Hook-Signature": signature})
        status = answer.status_code if answer is not None else 0
        if status == httpx.codes.GONE:
            hook.status = "suspended"
        elif not 200 <= status < 400 and delivery.tries + 1 < TRIES:
            delivery.tries += 1
            delivery.due_at = now + FIRST_PAUSE * 2 ** (delivery.tries - 1)
            self.deliveries.append(delivery)

    async def _post(
        self, url: str, body: bytes, headers: Mapping[str, str]
    ) -> httpx.Response | None:
        all_headers = {"Content-Type": "application/json", **headers}
        try:
            async with httpx.AsyncClient(
                transport=self.transport, trust_env=False, timeout=10.0
            ) as client:
                return await client.post(url, content=body, headers=all_headers)
        except httpx.HTTPError:
            return None


def _asked(names: str | None) -> tuple[str, ...]:
    wanted = tuple(name.strip() for name in names.split(",")) if names else ("id", "etag")
    for name in wanted:
        if name not in FIELDS:
            raise InvalidFields(name)
    return wanted


def _url(data: Mapping[str, Any]) -> str:
    url = str(data.get("url", ""))
    parts = urlsplit(url)
    if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in LOOPBACK):
        raise InvalidArgument("url must be https")
    return url


async def _data(request: Request) -> Mapping[str, Any]:
    return parse_data(request.headers.get("content-type", ""), await request.body())
