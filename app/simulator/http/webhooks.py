"""Clio's webhooks, simulated: subscriptions, the handshake, signed posts, and what may go wrong on their way.

A create call is answered after the handshake was tried, so that a receiver meets the handshake first (clio.md §15).
Unlike Clio, plain http is taken for an address on this machine.
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
class Hook:
    """One subscription, and what it last reported of each record."""

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
class Parcel:
    """A post on its way."""

    hook: Hook
    body: bytes
    due_at: datetime
    tries: int = 0


@dataclass
class Switches:
    """What goes wrong with posts on their way, and what a create call tells."""

    loses: bool = False
    copies: int = 1
    reorders: bool = False
    tells_secret: bool = True


class Webhooks:
    """All subscriptions of all firms. `transport` leads to a receiver in the same process."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self.hooks: dict[int, Hook] = {}
        self.parcels: list[Parcel] = []
        self.switches = Switches()
        self.transport: httpx.AsyncBaseTransport | None = None
        self._now = now
        self._ids = count(7001)

    def watch(self, firm: Firm) -> None:
        """Report what happens to a firm's records from now on."""
        firm.watchers.append(lambda event, kind, record: self._happened(firm, event, kind, record))

    # --- the API ---------------------------------------------------------------------------------

    async def answer(self, request: Request, grant: Grant) -> Response:
        """Any call about webhooks; a user sees those that are the user's own."""
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
        await self._done_to(hook, request, activates=bool(found["activate"]))
        return responses.Json({"data": self._told(hook, asked)})

    async def _done_to(self, hook: Hook, request: Request, *, activates: bool) -> None:
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
            mine = [
                h for h in self.hooks.values() if (h.firm, h.user_id) == (grant.firm, grant.user_id)
            ]
            return responses.Json(
                {"data": [self._told(hook, asked) for hook in mine], "meta": {"paging": {}}}
            )
        if request.method != "POST":
            raise not_found("Not found")
        hook = self._made(await _data(request), grant)
        self.hooks[hook.id] = hook
        await self._shake_hands(hook)
        return responses.Json({"data": self._told(hook, asked)}, 201)

    def _made(self, data: Mapping[str, Any], grant: Grant) -> Hook:
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
        return Hook(
            next(self._ids), grant.firm, grant.user_id, _url(data), str(model), list(events), watched,
            self._expiry(data, now + DEFAULT_LIFE), now,
        )  # fmt: skip

    async def _change(self, hook: Hook, data: Mapping[str, Any]) -> None:
        hook.expires_at = self._expiry(data, hook.expires_at)
        if "url" in data and _url(data) != hook.url:
            hook.url, hook.status = _url(data), "pending"
            await self._shake_hands(hook)

    def _expiry(self, data: Mapping[str, Any], otherwise: datetime) -> datetime:
        if "expires_at" not in data:
            return otherwise
        try:
            asked = datetime.fromisoformat(str(data["expires_at"]))
        except ValueError as error:
            raise InvalidArgument("expires_at is not a time") from error
        if asked.tzinfo is None:
            asked = asked.replace(tzinfo=UTC)
        if asked > self._now() + LONGEST_LIFE:
            raise InvalidArgument("expires_at is more than 31 days away")
        return asked

    def _told(self, hook: Hook, asked: tuple[str, ...]) -> dict[str, Any]:
        told = {
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
        return {name: told[name] for name in asked if name in told}

    async def _shake_hands(self, hook: Hook) -> None:
        body = json.dumps({"data": {"webhook_id": hook.id}}).encode()
        answer = await self._post(hook.url, body, {"X-Hook-Secret": hook.secret})
        confirmed = answer is not None and answer.headers.get("x-hook-secret") == hook.secret
        if confirmed and answer is not None and answer.status_code == 200:
            hook.status = "enabled"

    # --- what happens ----------------------------------------------------------------------------

    def _happened(self, firm: Firm, event: str, kind: str, record: Mapping[str, Any]) -> None:
        for hook in self.hooks.values():
            if hook.firm is firm and hook.model == kind and event in hook.events:
                data = self._worth_telling(hook, event, kind, record)
                if data is not None:
                    meta = {"event": event, "webhook_id": hook.id}
                    body = json.dumps({"data": data, "meta": meta}).encode()
                    self.parcels.append(Parcel(hook, body, self._now()))

    def _worth_telling(
        self, hook: Hook, event: str, kind: str, record: Mapping[str, Any]
    ) -> dict[str, Any] | None:
        """The post's data; None where nothing that is watched changed, or the user may not see the record.

        The first event of a record is told whatever changed.
        """
        if event == "deleted":
            return {"id": record["id"], "etag": record["etag"]}
        if not hook.firm.sees(hook.user_id, kind, record["id"]):
            return None
        selection = field_selection.parse(kind, hook.fields)
        told = field_selection.render(hook.firm, hook.user_id, kind, dict(record), selection)
        if hook.reported.get(record["id"]) == told:
            return None
        hook.reported[record["id"]] = told
        return {"id": record["id"], "etag": record["etag"], **told}

    async def deliver(self) -> int:
        """Post all that is due, as the switches have it; answers how many posts that took."""
        now, posts = self._now(), 0
        due = [parcel for parcel in self.parcels if parcel.due_at <= now]
        self.parcels = [parcel for parcel in self.parcels if parcel.due_at > now]
        if self.switches.reorders:
            due.reverse()
        for parcel in due:
            hook = parcel.hook
            if hook.status != "enabled" or hook.expires_at <= now or hook.id not in self.hooks:
                continue
            if self.switches.loses:
                continue
            for _ in range(self.switches.copies):
                posts += 1
                await self._send(parcel, now)
        return posts

    async def _send(self, parcel: Parcel, now: datetime) -> None:
        hook = parcel.hook
        signature = hmac.new(hook.secret.encode(), parcel.body, hashlib.sha256).hexdigest()
        answer = await self._post(hook.url, parcel.body, {"X-Hook-Signature": signature})
        status = answer.status_code if answer is not None else 0
        if status == httpx.codes.GONE:
            hook.status = "suspended"
        elif not 200 <= status < 400 and parcel.tries + 1 < TRIES:
            parcel.tries += 1
            parcel.due_at = now + FIRST_PAUSE * 2 ** (parcel.tries - 1)
            self.parcels.append(parcel)

    async def _post(
        self, url: str, body: bytes, headers: Mapping[str, str]
    ) -> httpx.Response | None:
        told = {"Content-Type": "application/json", **headers}
        try:
            async with httpx.AsyncClient(
                transport=self.transport, trust_env=False, timeout=10.0
            ) as client:
                return await client.post(url, content=body, headers=told)
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
