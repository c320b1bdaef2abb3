"""Prepares the demonstration so that every page of the console shows something.

A history of settings, clients who may be duplicates and wait, activities that were written and one that is blocked, and
a second firm whose first sync waits for a review.
"""

import time
from collections.abc import Callable
from typing import Any

import httpx

ACCOUNT, REVIEWED = "demo", "harlow-review"
MANAGER = {"user_id": "u_maya", "name": "Maya Lind"}
PATIENCE = 60.0  # seconds for a sync of a few people

_CHANGES = (  # by whom, and what: the versions of the settings before the first sync
    ("u_maya", {"new_client": {"hold_possible_duplicates": True}}),
    ("u_maya", {"tags": {"location": {"city": True}}}),
    ("u_601", {"tags": {"relationships": {"enabled": True}}}),
)
_ACTIVITIES = (  # kind, author, subject
    ("email", "u_601", "Your estate plan"),
    ("phone_call", "u_602", "Call about the closing"),
    ("note", "u_607", "Prefers to be called in the afternoon"),
    ("text_message", "u_601", "Appointment on Friday"),
    ("handwritten_card", "u_office", "Thank you"),
)


def change_settings(api: httpx.Client) -> None:
    """Change the settings as several people, before anything is read."""
    url = f"/v1/accounts/{ACCOUNT}/settings"
    for user_id, patch in _CHANGES:
        etag = api.get(url).headers["ETag"]
        api.patch(url, json=patch, headers={"If-Match": etag, "Levitate-User": user_id})


def write_activities(api: httpx.Client) -> None:
    """Send activities as Levitate does; the one of the front office waits, because nobody there has connected."""
    url = f"/v1/accounts/{ACCOUNT}"
    now = api.get(f"{url}/status").json()["run"]["finished_at"]
    people = api.get(f"{url}/contacts", params={"tag": "Active Client"}).json()["data"]
    found = zip(people, _ACTIVITIES, strict=False)  # a small firm may have fewer clients
    for number, (person, (kind, user_id, subject)) in enumerate(found):
        body = {
            "kind": kind,
            "user_id": user_id,
            "contact_id": person["id"],
            "occurred_at": now,
            "subject": subject,
            "body": f"{subject}.",
            "direction": "outbound",
        }
        if kind == "text_message":
            body["conversation_id"] = "demo-1"
        headers = {"Idempotency-Key": f"demo-{number}"}
        api.post(f"{url}/activities", json=body, headers=headers)


def prepare_review(api: httpx.Client, connect: Callable[[str, str, int], None]) -> None:
    """Create a second firm and connect its owner; its first sync waits for a review."""
    body = {
        "name": "Harlow & Pike LLP",
        "time_zone": "America/New_York",
        "country": "US",
        "primary_user_id": "u_ann",
        "enabled": True,
        "publish": "after_review",
    }
    users = [
        _user("u_ann", "Ann Harlow", "ann@harlowpike.test"),
        _user("u_ben", "Ben Pike", "ben@harlowpike.test"),
        _user("u_cat", "Cat Reed", "cat@harlowpike.test"),
    ]
    url = f"/v1/accounts/{REVIEWED}"
    api.put(url, json=body)
    api.put(f"{url}/users", json={"users": users})
    connect(REVIEWED, "u_ann", 501)
    deadline = time.monotonic() + PATIENCE
    while not api.get(f"{url}/holds", params={"status": "open"}).json()["data"]:
        if time.monotonic() > deadline:
            return
        time.sleep(0.2)


def _user(user_id: str, name: str, email: str) -> dict[str, Any]:
    return {"id": user_id, "name": name, "email": email, "active": True}
