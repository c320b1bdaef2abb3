"""`examples/receiver` uses every change and event once, whatever comes twice, late, or after a kill.

NC-1, NC-4, NC-8, S13. tests/wide/clients/test_receiver.py runs it as a process.
"""

import asyncio
import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from levitate_clio import AsyncClio, ClioError
from levitate_clio.models import Change, Event
from receiver.following import Follower
from receiver.held import key_of
from receiver.mail import FakeMailSystem, send_due
from receiver.store import Mail, Store

from tests.support.scripted_api import ScriptedApi, event, page, problem, scripted

EXAMPLES = json.loads((Path(__file__).parents[3] / "app" / "api" / "examples.json").read_text())


def example(operation: str) -> dict[str, Any]:
    """Return the first item of the example of a list."""
    answer = EXAMPLES[operation]["responses"]["200"]["application/json"]
    return dict(answer["data"][0])


def change(seq: int, contact_id: str = "con_1", **contact: Any) -> dict[str, Any]:
    """Return a change as the service sends it: `seq` is also the title of the contact."""
    whole = {**example("list_changes")["contact"], "id": contact_id, "title": str(seq), **contact}
    named = {"seq": seq, "contact_id": contact_id, "contact": whole}
    return {**example("list_changes"), **named}


def erasure(seq: int, contact_id: str = "con_1") -> dict[str, Any]:
    return {**change(seq, contact_id), "kind": "contact.erased", "contact": None}


def new_client(event_id: str, contact_id: str = "con_1") -> Event:
    return Event.from_dict(event(event_id, contact_id=contact_id, account_id="hp"))


def feed(*lines: dict[str, Any]) -> list[Change]:
    return [Change.from_dict(line) for line in lines]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with closing(Store(tmp_path / "receiver.db")) as opened:
        yield opened


@pytest.fixture
def mails(tmp_path: Path) -> FakeMailSystem:
    return FakeMailSystem(tmp_path / "mail.db")


def rows(path: Path, query: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(path)) as db:
        return db.execute(query).fetchall()


def sent(tmp_path: Path) -> list[str]:
    return [row[0] for row in rows(tmp_path / "mail.db", "select key from sent order by key")]


def starts(tmp_path: Path) -> dict[str, int]:
    return dict(rows(tmp_path / "receiver.db", "select contact_id, starts from automations"))


def title(store: Store, contact_id: str = "con_1") -> str | None:
    contact = store.contact(contact_id)
    return contact.title if contact else None


# --- contacts -------------------------------------------------------------------------------------


def test_a_change_that_comes_again_or_late_does_not_replace_a_later_one(store: Store):
    store.apply_changes(feed(change(1), change(3)), "c3")
    store.apply_changes(feed(change(1), change(2)), "c2")
    assert (title(store), store.cursor("changes")) == ("3", "c2")


def test_neither_the_changes_nor_the_cursor_of_a_broken_transaction_are_kept(store: Store):
    def broken() -> Iterator[Change]:
        yield from feed(change(2))
        raise InterruptedError

    store.apply_changes(feed(change(1)), "c1")
    with pytest.raises(InterruptedError):
        store.apply_changes(broken(), "c2")
    assert (title(store), store.cursor("changes")) == ("1", "c1")


def test_who_is_gone_from_a_new_round_of_the_feed_stays_until_its_end(store: Store):
    store.apply_changes(feed(change(8), change(9, "con_2")), "c9", is_end=True)
    store.begin_again("changes")
    assert store.cursor("changes") is None
    store.apply_changes(feed(change(1)), "c1")  # the numbers are used again
    assert (title(store), title(store, "con_2")) == ("1", "9")
    assert not store.has_all_contacts()
    store.apply_changes([], "c1", is_end=True)
    assert (title(store), title(store, "con_2")) == ("1", None)
    assert store.has_all_contacts()


async def test_an_erased_person_is_forgotten_everywhere_and_nothing_late_brings_anyone_back(
    store: Store, mails: FakeMailSystem, tmp_path: Path
):
    merged = change(2, "con_2", state="deleted", merged_into="con_1")
    store.apply_changes(feed(change(1), merged), "c2")
    store.apply_webhook(new_client("evt_1"))
    await send_due(store, mails)
    assert sent(tmp_path) == ["new-client-evt_1"]

    store.apply_changes(feed(erasure(3)), "c3")
    await send_due(store, mails)
    assert sent(tmp_path) == store.due_erasures() == []
    store.apply_webhook(new_client("evt_2"))
    store.begin_again("changes")
    store.apply_changes(feed(change(1)), "c1")  # a backup from before the erasure
    assert store.contact("con_1") is None
    assert starts(tmp_path) == {}
    assert rows(tmp_path / "receiver.db", "select * from mails") == []
    other = store.contact("con_2")
    assert other
    assert other.merged_into is None


# --- events ---------------------------------------------------------------------------------------


def test_an_event_by_webhook_and_in_the_list_counts_once(store: Store, tmp_path: Path):
    store.apply_webhook(new_client("evt_1"))
    store.apply_webhook(new_client("evt_1"))
    ledger = {"evt_1": "con_1"}
    store.apply_events([new_client("evt_1"), new_client("evt_2", "con_2")], "e2")
    store.apply_announcements(ledger)
    assert starts(tmp_path) == {"con_1": 1, "con_2": 1}
    assert store.cursor("events") == "e2"


def test_the_automation_of_a_person_starts_again_only_for_a_replay(store: Store, tmp_path: Path):
    store.apply_webhook(new_client("evt_1"))
    store.apply_webhook(new_client("evt_replay"))
    assert starts(tmp_path) == {"con_1": 2}
    keys = rows(tmp_path / "receiver.db", "select key from mails order by key")
    assert keys == [("new-client-evt_1",), ("new-client-evt_replay",)]


def test_an_event_of_an_unknown_type_is_stored_and_has_no_effect(store: Store, tmp_path: Path):
    unknown = Event.from_dict(event("evt_1", kind="client.painted", account_id="hp"))
    store.apply_webhook(unknown)
    assert rows(tmp_path / "receiver.db", "select id from handled_events") == [("evt_1",)]
    assert starts(tmp_path) == {}


def test_an_event_that_cannot_be_used_leaves_no_trace(store: Store, tmp_path: Path):
    wrong = Event.from_dict(event("evt_2", account_id="hp"))
    with pytest.raises(KeyError):
        store.apply_events([new_client("evt_1"), wrong], "e2")
    assert rows(tmp_path / "receiver.db", "select id from handled_events") == []
    assert (starts(tmp_path), store.cursor("events")) == ({}, None)


# --- mails ----------------------------------------------------------------------------------------


class Killed(FakeMailSystem):
    """A mail system whose answer does not come: the receiver is killed after the mail was sent."""

    async def send(self, mail: Mail) -> None:  # type: ignore[explicit-override]
        await super().send(mail)
        raise InterruptedError


async def test_a_mail_that_was_sent_and_not_marked_is_sent_again_with_the_same_key(
    store: Store, tmp_path: Path
):
    store.apply_changes(feed(change(1)), "c1")
    store.apply_webhook(new_client("evt_1"))
    with pytest.raises(InterruptedError):
        await send_due(store, Killed(tmp_path / "mail.db"))
    assert [mail.key for mail in store.due_mails()] == sent(tmp_path) == ["new-client-evt_1"]
    await send_due(store, FakeMailSystem(tmp_path / "mail.db"))
    assert store.due_mails() == []
    assert sent(tmp_path) == ["new-client-evt_1"]


def test_a_mail_waits_until_its_person_is_known_in_scope_and_has_an_address(store: Store):
    store.apply_webhook(new_client("evt_1"))
    assert store.due_mails() == []
    not_yet = [change(1, state="out_of_scope"), change(2, emails=[])]
    for line in not_yet:
        store.apply_changes(feed(line), "c")
        assert store.due_mails() == []
    store.apply_changes(feed(change(3)), "c3")
    assert [mail.address for mail in store.due_mails()] == ["alice@home.test"]


def test_a_mail_that_waits_goes_to_whom_the_person_was_merged_into(store: Store):
    store.apply_webhook(new_client("evt_1"))
    old = change(1, state="deleted", merged_into="con_2")
    store.apply_changes(feed(old, change(2, "con_2")), "c2")
    assert [(mail.key, mail.contact_id) for mail in store.due_mails()] == [
        ("new-client-evt_1", "con_2")
    ]


# --- following ------------------------------------------------------------------------------------


def follower(service: ScriptedApi, store: Store) -> Follower:
    return Follower(service.client(AsyncClio), "hp", store, asyncio.Event())


EXPIRED = problem(410, "cursor_expired")
END = problem(401, "token_invalid")  # the script ends here


async def test_after_an_expired_cursor_the_feed_is_read_from_its_beginning(store: Store):
    store.apply_changes(feed(change(8), change(9, "con_2")), "c9", is_end=True)
    service = scripted(
        EXPIRED,
        page([change(1)], "c1"),
        page([change(2)], "c2", has_more=False),
        page([change(3)], "c3"),
        END,
    )
    with pytest.raises(ClioError, match="token_invalid"):
        await follower(service, store).follow_changes()
    cursors = [request.url.params.get("cursor") for request in service.requests]
    assert cursors == ["c9", None, "c1", "c2", "c3"]
    assert (title(store), title(store, "con_2")) == ("3", None)


async def test_a_kill_while_the_feed_is_read_anew_continues_the_same_round(store: Store):
    store.apply_changes(feed(change(8), change(9, "con_2")), "c9", is_end=True)
    store.begin_again("changes")
    store.apply_changes(feed(change(1)), "c1")
    service = scripted(page([change(2, "con_3")], "c2", has_more=False), END)
    with pytest.raises(ClioError, match="token_invalid"):
        await follower(service, store).follow_changes()
    assert service.requests[0].url.params["cursor"] == "c1"
    assert [title(store, f"con_{number}") for number in (1, 2, 3)] == ["1", None, "2"]


async def test_what_is_older_than_the_events_that_are_kept_is_found_in_the_ledger(
    store: Store, tmp_path: Path
):
    store.apply_events([new_client("evt_1")], "e1")
    row = {**example("list_new_clients"), "status": "emitted"}
    known = {**row, "contact_id": "con_1", "event_ids": ["evt_1"]}
    missed = {**row, "contact_id": "con_2", "event_ids": ["evt_2", "evt_replay"]}
    third = event("evt_3", contact_id="con_3", account_id="hp")
    service = scripted(EXPIRED, page([known, missed]), page([third], "e3"), END)
    with pytest.raises(ClioError, match="token_invalid"):
        await follower(service, store).follow_events()
    assert starts(tmp_path) == {"con_1": 1, "con_2": 2, "con_3": 1}
    assert store.cursor("events") == "e3"


# --- decisions ------------------------------------------------------------------------------------


def test_the_key_of_a_decision_is_that_of_the_form_and_of_what_was_chosen_in_it():
    key = key_of("form", "release", ["ncl_1", "ncl_2"])
    assert key == key_of("form", "release", ["ncl_2", "ncl_1"])
    others = [("other", "release", ["ncl_1", "ncl_2"]), ("form", "release", ["ncl_1"])]
    assert key not in [key_of("form", "suppress", ["ncl_1", "ncl_2"]), *map(_key, others)]


def _key(chosen: Any) -> str:
    return key_of(*chosen)
