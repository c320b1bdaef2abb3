"""One story of the demo firm in which each operation of the API is called, from the account's start to its erasure.

It gives the calls with their answers: the contract test checks them against the OpenAPI document, and the examples of
the document are made of them.
"""

import hashlib
import hmac
import json
import re
from dataclasses import dataclass, field
from typing import Any

import httpx

from app.main import now
from tests.support.openapi import openapi_document
from tests.support.webhook_receiver import Receiver, receiving
from tests.support.world import ACCOUNT, USERS, World

MERGE_PATCH = "application/merge-patch+json"
RETURN_URL = "https://levitate.test/integrations"
MAYA = {"user_id": "u_maya", "name": "Maya Lind"}
ALICE, MARIA = "1001", "1002"  # clients of the firm
NOTE = {
    "kind": "note",
    "user_id": "u_ann",
    "clio_contact_id": ALICE,
    "occurred_at": "2026-03-02T23:30:00-05:00",
    "subject": "Called about the closing date",
    "body": "Alice will bring the deed on Friday.",
}


@dataclass(frozen=True)
class Call:
    """One call and its answer."""

    operation: str
    query: dict[str, Any]
    body: Any
    answer: httpx.Response
    is_example: bool = True

    @property
    def status(self) -> str:
        """Return the status as the document writes it."""
        return str(self.answer.status_code)

    @property
    def media_type(self) -> str:
        """Return the media type of the answer without its parameters, empty if it has no body."""
        written: str = self.answer.headers.get("content-type", "")
        return written.partition(";")[0]


@dataclass
class Story:
    """The calls so far. `ids` are the path parameters that have become known."""

    world: World
    ids: dict[str, str] = field(default_factory=lambda: {"account_id": "hp"})
    calls: list[Call] = field(default_factory=list)
    gives_examples: bool = True

    async def call(
        self, operation: str, *, body: Any = None, headers: Any = None, **query: Any
    ) -> Any:
        """Call an operation, which must succeed; return its JSON, or its text if that is not JSON."""
        method, path = PLACES[operation]
        url = re.sub(r"\{(\w+)\}", lambda found: self.ids[found[1]], path)
        sent: dict[str, Any] = dict(headers or {})
        if body is not None:
            sent.setdefault(
                "Content-Type", MERGE_PATCH if method == "PATCH" else "application/json"
            )
        if operation in KEYED:
            sent.setdefault("Idempotency-Key", f"key-{len(self.calls)}")
        content = None if body is None else json.dumps(body)
        answer = await self.world.api.request(
            method, url, params=query, headers=sent, content=content
        )
        assert answer.status_code < 400, (operation, answer.text)
        self.calls.append(Call(operation, query, body, answer, self.gives_examples))
        is_json = answer.content and self.calls[-1].media_type == "application/json"
        return answer.json() if is_json else answer.text

    @property
    def etag(self) -> dict[str, str]:
        """Return the header `If-Match` with the `ETag` of the last answer."""
        return {"If-Match": self.calls[-1].answer.headers["etag"]}


OPERATIONS: dict[str, dict[str, Any]] = {}
PLACES: dict[str, tuple[str, str]] = {}  # method and path
for _path, _methods in openapi_document()["paths"].items():
    for _method, _operation in _methods.items():
        OPERATIONS[_operation["operationId"]] = _operation
        PLACES[_operation["operationId"]] = (_method.upper(), _path)
KEYED = {
    name
    for name, operation in OPERATIONS.items()
    if any(one["name"] == "Idempotency-Key" for one in operation.get("parameters", ()))
}


async def tell(world: World) -> list[Call]:
    """Tell the whole story to a service that has no account yet; return the calls in their order."""
    story = Story(world)
    async with receiving() as receiver:
        await _watch_the_process(story)
        await _make_an_account(story)
        await _add_an_endpoint(story, receiver)
        await _connect(story)
        await _publish_after_a_review(story)
        await _decide_about_new_clients(story)
        await _read_contacts(story)
        await _change_settings(story)
        await _map_an_attorney(story)
        await _sync_again(story)
        await _write_back(story)
        await _look_after_the_firm(story)
        await _read_events(story)
        await _ask_with_each_parameter(story)
    await _erase(story)
    return story.calls


async def _watch_the_process(story: Story) -> None:
    for operation in ("healthz", "readyz", "metrics"):
        await story.call(operation)


async def _make_an_account(story: Story) -> None:
    await story.call("put_account", body={**ACCOUNT, "publish": "after_review"})
    await story.call("put_users", body={"users": USERS})
    await story.call("get_users")
    await story.call("get_account")
    await story.call("patch_account", body={"time_zone": "America/Chicago"}, headers=story.etag)


async def _add_an_endpoint(story: Story, receiver: Receiver) -> None:
    made = await story.call("create_webhook_endpoint", body={"url": receiver.url})
    story.ids["endpoint_id"] = made["id"]
    await story.call("list_webhook_endpoints")
    await story.call("get_webhook_endpoint")
    await story.call("patch_webhook_endpoint", body={"description": "Levitate's backend"})
    await story.call("send_test_event")


async def _connect(story: Story) -> None:
    world = story.world
    start = {"user_id": "u_ann", "region": "us", "return_url": RETURN_URL}
    link = await story.call("create_connect_link", body=start)
    story.ids["link_id"] = link["id"]
    await story.call("end_connect_link")
    await story.call("create_account_console_link", body={**MAYA, "role": "success_manager"})
    await story.call("create_console_link", body=MAYA)
    started = await story.call("start_connection", body=start)
    story.ids["connection_id"] = started["id"]
    callback = httpx.URL(await world.approve(started["authorize_url"], 501))
    await story.call("finish_connection", **callback.params)
    await world.settled()
    await world.housekept()
    await story.call("list_connections")
    await story.call("get_connection")


async def _publish_after_a_review(story: Story) -> None:
    (run,) = (await story.call("list_runs", trigger="connect"))["data"]
    story.ids["run_id"] = run["id"]
    await story.call("get_run")
    await story.call("follow_run")
    (hold,) = (await story.call("list_holds", status="open"))["data"]
    story.ids["hold_id"] = hold["id"]
    await story.call("discard_hold")
    await story.world.run()
    (hold,) = (await story.call("list_holds", status="open"))["data"]
    story.ids["hold_id"] = hold["id"]
    await story.call("list_hold_items")
    await story.call("release_hold", body={"new_clients": "hold"})
    runs = await story.world.settled()
    story.ids["run_id"] = runs[-1]["id"]
    await story.call("get_run_report")


async def _decide_about_new_clients(story: Story) -> None:
    held = (await story.call("list_new_clients", status="held"))["data"]
    one, other, *rest = [client["id"] for client in held]
    story.ids["new_client_id"] = one
    await story.call("suppress_new_client")
    story.ids["new_client_id"] = other
    await story.call("release_new_client")
    await story.call("replay_new_client")
    await story.call("decide_new_clients", body={"action": "release", "ids": rest})


async def _read_contacts(story: Story) -> None:
    contacts = (await story.call("list_contacts", q="alice", count=True))["data"]
    story.ids |= {"contact_id": contacts[0]["id"], "clio_id": ALICE}
    await story.call("record_preexisting_tags", body={"labels": ["Client", "Golf"]})
    for operation in ("get_contact", "explain_contact", "get_contact_history", "export_contact"):
        await story.call(operation)
    await story.call("summarize_contacts")
    await story.call("list_changes", limit=2)
    await story.call("list_clio_contacts", q="alice")
    await story.call("explain_clio_contact")


async def _change_settings(story: Story) -> None:
    patch = {"tags": {"location": {"city": True}}}
    await story.call("get_catalog")
    stored = await story.call("get_settings")
    etag = story.etag
    await story.call("preview_settings", body={"settings": patch})
    await story.call("patch_settings", body=patch, headers=etag)
    await story.call("put_settings", body=stored["settings"], headers=story.etag)
    await story.call("list_settings_versions", order="newest")
    await story.world.settled()


async def _map_an_attorney(story: Story) -> None:
    attorneys = (await story.call("list_attorneys"))["data"]
    story.ids["clio_user_id"] = attorneys[0]["clio_user_id"]
    await story.call("map_attorney", body={"user_id": "u_cat"})
    await story.call("unmap_attorney")
    await story.world.settled()


async def _sync_again(story: Story) -> None:
    async with story.world.clio_transport.paused():
        run = await story.call("create_run", body={"kind": "full"})
        story.ids["run_id"] = run["id"]
        await story.call("cancel_run")
    await story.world.settled()


async def _write_back(story: Story) -> None:
    of_ben = {**NOTE, "user_id": "u_ben"}  # who has not connected
    of_dan = {**NOTE, "user_id": "u_dan"}  # who is not in the directory, which opens an issue
    written = await story.call("create_activity", body=NOTE)
    story.ids["activity_id"] = written["id"]
    await story.world.none_left(
        "select count(*) from activities where status in ('queued', 'sending')"
    )
    await story.call("get_activity")
    blocked = await story.call("create_activities", body={"activities": [NOTE, of_ben, of_dan]})
    story.ids["activity_id"] = blocked["data"][1]["activity"]["id"]
    await story.call("list_activities", status="blocked")
    await story.call("retry_activity")
    await story.call("cancel_activity")


async def _look_after_the_firm(story: Story) -> None:
    for operation in ("get_status", "list_accounts", "get_fleet"):
        await story.call(operation)
    issues = (await story.call("list_issues", status="open"))["data"]
    story.ids["issue_id"] = issues[0]["id"]
    await story.call("resolve_issue")
    await story.call("list_audit", order="newest")
    await story.call("list_service_audit", order="newest")
    hook = next(iter(story.world.simulator.webhooks.hooks.values()))
    story.ids["token"] = hook.url.rpartition("/")[2]
    nudge = {"data": {"id": int(ALICE)}, "meta": {"event": "updated", "webhook_id": hook.id}}
    signature = hmac.new(hook.secret.encode(), json.dumps(nudge).encode(), hashlib.sha256)
    await story.call(
        "receive_nudge", body=nudge, headers={"X-Hook-Signature": signature.hexdigest()}
    )


async def _read_events(story: Story) -> None:
    await story.call("list_events", account_id="hp", limit=5)
    deliveries = (await story.call("list_deliveries", order="newest", limit=5))["data"]
    story.ids["delivery_id"] = deliveries[0]["id"]
    await story.call("redeliver_delivery")
    await story.call("redeliver_deliveries", body={"since": deliveries[0]["created_at"]})
    await story.call("rotate_webhook_secret")
    await story.call("enable_webhook_endpoint")


async def _ask_with_each_parameter(story: Story) -> None:
    """Send each parameter of each read below /v1 alone, with each of its known values."""
    story.gives_examples = False
    for operation, (method, path) in PLACES.items():
        if method == "GET" and path.startswith("/v1/"):
            for parameter in OPERATIONS[operation].get("parameters", ()):
                if parameter["in"] == "query":
                    for value in await _values(story, operation, parameter):
                        await story.call(operation, **{parameter["name"]: value})
    story.gives_examples = True


async def _values(story: Story, operation: str, parameter: dict[str, Any]) -> list[Any]:
    name, schema = parameter["name"], parameter["schema"]
    if name == "cursor":
        page = await story.call(operation, limit=1)
        return [page["next_cursor"]] if page["next_cursor"] else []
    if "$ref" in schema:
        schema = openapi_document()["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    if "enum" in schema:
        return list(schema["enum"])
    if schema.get("format") == "date-time":
        return [now().isoformat() if name == "as_of" else "2026-03-02T00:00:00Z"]
    if schema["type"] == "boolean":
        return ["true", "false"]
    values = {
        **story.ids,
        "q": "alice",
        "owner": "none",
        "tag": ["Client", "Clio"],
        "limit": 1,
        "wait": 0,
    }
    return [values.get(name, "no_such_value")]


async def _erase(story: Story) -> None:
    await story.call("delete_webhook_endpoint")
    await story.call("end_connection")
    await story.call("delete_contact")
    story.ids["erasure_id"] = story.calls[-1].answer.headers["location"].rpartition("/")[2]
    await story.call("get_erasure")
    await story.call("delete_account")
