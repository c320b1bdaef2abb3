"""Each activity is written to Clio once, as the right user, or has the reason why not."""

import asyncio
import itertools
import json
from collections.abc import Callable
from typing import Any

import asyncpg
import pytest
import structlog

from app.simulator.faults import apply
from app.simulator.faults.faults import Effect, Fault, Faults, WriteFault
from app.simulator.store.value_checks import MAX_TEXT_BYTES
from tests.support.world import PATIENCE, World

_keys = itertools.count(1)

EMAIL = {
    "kind": "email",
    "user_id": "u_ann",
    "clio_contact_id": "1001",
    "occurred_at": "2026-03-02T23:30:00-05:00",
    "subject": "Your closing date",
    "body": "Dear Alice, we close on Friday.",
}
TEXT = {
    "kind": "text_message",
    "user_id": "u_ann",
    "clio_contact_id": "1001",
    "occurred_at": "2026-03-02T15:00:00-05:00",
    "body": "See you at noon",
    "conversation_id": "c9",
}
ENDED = ("written", "skipped", "failed", "cancelled")


async def post(world: World, body: dict[str, Any], *, key: str | None = None, status: int = 202):
    headers = {"Idempotency-Key": key or f"activity-{next(_keys)}"}
    answer = await world.api.post("/v1/accounts/hp/activities", json=body, headers=headers)
    assert answer.status_code == status, answer.text
    return answer.json()


async def get(world: World, activity: dict[str, Any]) -> dict[str, Any]:
    answer = await world.api.get(f"/v1/accounts/hp/activities/{activity['id']}")
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def until(world: World, activity: dict[str, Any], *statuses: str) -> dict[str, Any]:
    """Wait until the activity has one of these states, and return it."""
    named = ", ".join(f"'{status}'" for status in statuses or ENDED)
    await world.none_left(
        f"select count(*) from activities where activity_id = :id and status not in ({named})",
        id=activity["id"],
    )
    return await get(world, activity)


def notes(world: World) -> list[dict[str, Any]]:
    return world.simulator.records("note")


def communications(world: World) -> list[dict[str, Any]]:
    return world.simulator.records("communication")


def writes(world: World) -> list[str]:
    return [
        f"{entry.method} {entry.path}"
        for entry in world.simulator.requests("/api/")
        if entry.method != "GET"
    ]


async def test_an_email_becomes_one_note_of_its_author_on_its_local_day(pulled: World):
    # WB-2, row 28, S17
    activity = await until(pulled, await post(pulled, EMAIL))
    assert activity["status"] == "written", activity
    (note,) = notes(pulled)
    assert (note["contact_id"], note["date"], note["author_id"]) == (1001, "2026-03-02", 501)
    assert note["subject"] == "Email: Your closing date"
    body, when, reference = note["detail"].rsplit("\n", 2)
    assert body == "Dear Alice, we close on Friday.\n"
    assert when == "2026-03-02 23:30 EST (America/New_York)"
    assert reference.startswith("Ref: LVT-")
    assert len(reference) == len("Ref: LVT-") + 26
    assert (activity["status"], activity["attempts"]) == ("written", 1)
    assert activity["clio"] == {
        "type": "note",
        "id": str(note["id"]),
        "url": "https://app.clio.com/nc/#/contacts/1001",
    }
    assert writes(pulled) == ["POST /api/v4/notes.json"]


async def test_notes_calls_and_cards_become_notes_too(pulled: World):
    # WB-1, WB-2, row 28
    for kind in ("note", "phone_call", "handwritten_card"):
        await until(pulled, await post(pulled, {**EMAIL, "kind": kind}))
    assert [note["subject"] for note in notes(pulled)] == [
        "Note: Your closing date",
        "Phone call: Your closing date",
        "Handwritten card: Your closing date",
    ]


async def test_a_kind_without_a_counterpart_in_clio_is_refused(world: World):
    # WB-1
    await world.create_account()
    assert (await post(world, {**EMAIL, "kind": "fax"}, status=422))[
        "code"
    ] == "unknown_activity_kind"


async def test_text_messages_of_a_day_are_one_communication_that_grows(pulled: World):
    # WB-3, C-14, row 27: a communication, and no additional note
    first = await until(pulled, await post(pulled, TEXT))
    second = await until(pulled, await post(pulled, {**TEXT, "body": "See you at noon\nFine"}))
    (found,) = communications(pulled)
    assert (found["type"], found["subject"]) == (
        "PhoneCommunication",
        "Text messages with Alice Moreno",
    )
    assert found["body"] == "See you at noon\nFine"
    assert [person["id"] for person in found["senders"]] == [501]
    assert [person["id"] for person in found["receivers"]] == [1001]
    assert first["clio"] == second["clio"]
    assert first["clio"]["type"] == "communication"
    tomorrow = {**TEXT, "occurred_at": "2026-03-03T15:00:00-05:00", "direction": "inbound"}
    await until(pulled, await post(pulled, tomorrow))
    assert len(communications(pulled)) == 2
    assert [person["id"] for person in communications(pulled)[1]["senders"]] == [1001]
    await until(pulled, await post(pulled, {**TEXT, "conversation_id": None}))
    assert len(communications(pulled)) == 3
    assert notes(pulled) == []


async def test_the_same_key_returns_the_same_activity_and_refuses_another_body(pulled: World):
    # WB-7, API-7
    first = await post(pulled, EMAIL, key="k1")
    again = await post(pulled, EMAIL, key="k1")
    assert first["id"] == again["id"]
    await until(pulled, first)
    assert len(notes(pulled)) == 1
    problem = await post(pulled, {**EMAIL, "body": "other"}, key="k1", status=422)
    assert problem["code"] == "idempotency_key_reused"
    answer = await pulled.api.post("/v1/accounts/hp/activities", json=EMAIL)
    assert (answer.status_code, answer.json()["code"]) == (400, "idempotency_key_required")


async def test_an_activity_of_an_unlinked_contact_is_skipped_without_a_request(pulled: World):
    # WB-6
    for who in ({"clio_contact_id": "999"}, {"clio_contact_id": None, "contact_id": "con_none"}):
        skipped = await post(pulled, {**EMAIL, **who}, status=200)
        assert (skipped["status"], skipped["reason"]) == ("skipped", "not_linked")
    assert writes(pulled) == []


async def test_an_activity_of_a_contact_outside_the_scope_is_written(pulled: World):
    # row 36: Frank is no client and was never published, but he exists in Clio
    activity = await until(pulled, await post(pulled, {**EMAIL, "clio_contact_id": "1006"}))
    assert activity["status"] == "written"


async def test_an_activity_of_an_unconnected_user_is_blocked_and_written_after_connecting(
    pulled: World,
):
    # WB-5
    activity = await post(pulled, {**EMAIL, "user_id": "u_ben", "kind": "note"})
    assert (activity["status"], activity["reason"]) == ("blocked", "needs_connection")
    assert writes(pulled) == []
    await until(
        pulled, await post(pulled, EMAIL)
    )  # a blocked activity does not delay other contacts
    await pulled.connect("u_ben", 502)
    written = await until(pulled, activity)
    assert written["status"] == "written"
    assert [note["author_id"] for note in notes(pulled)] == [501, 502]


async def test_a_revoked_login_blocks_the_activity_until_its_user_reconnects(pulled: World):
    # WB-5, S9
    pulled.simulator.oauth["us"].revoke_user(501)
    activity = await until(pulled, await post(pulled, EMAIL), "blocked")
    assert activity["reason"] == "needs_connection"
    status = (await pulled.api.get("/v1/accounts/hp/status")).json()
    assert status["connections"]["needs_reconnect"] == 1
    codes = [issue["code"] async for issue in pulled.all("issues", status="open")]
    assert (
        "needs_reconnect" in codes
    )  # reported as a run reports it, so that the 30 days of S4 start now
    await pulled.connect("u_ann", 501)
    assert (await until(pulled, activity))["status"] == "written"
    assert len(notes(pulled)) == 1


@pytest.mark.parametrize("effect", ["lost", "bad_gateway"])
async def test_a_note_whose_answer_was_lost_is_found_and_not_written_again(pulled: World, effect):
    # WB-7, F3
    pulled.simulator.faults.add(WriteFault(effect, times=1))
    activity = await until(pulled, await post(pulled, EMAIL))
    assert (activity["status"], activity["attempts"]) == ("written", 1)
    assert [str(note["id"]) for note in notes(pulled)] == [activity["clio"]["id"]]
    assert writes(pulled) == ["POST /api/v4/notes.json"]


async def test_a_conversation_whose_answer_was_lost_is_found_by_its_property(pulled: World):
    # WB-7, WB-3
    pulled.simulator.faults.add(WriteFault("lost", times=1))
    first = await post(pulled, TEXT)
    second = await post(pulled, {**TEXT, "body": "newer"})
    assert [(await until(pulled, item))["status"] for item in (first, second)] == ["written"] * 2
    assert [found["body"] for found in communications(pulled)] == ["newer"]


async def test_a_write_that_never_arrived_is_sent_again_with_its_marker(pulled: World):
    # WB-7, F3
    pulled.simulator.faults.add(WriteFault("unwritten", times=2))
    activity = await until(pulled, await post(pulled, EMAIL))
    assert (activity["status"], activity["attempts"]) == ("written", 3)
    assert len(notes(pulled)) == 1


async def age(world: World, activity: dict[str, Any], days: int) -> None:
    """Let the first attempt of an activity be so long ago."""
    statement = (
        "update activities set first_attempt_at = first_attempt_at - make_interval(days => $1)"
    )
    connection = await asyncpg.connect(world.dsn)
    try:
        await connection.execute(f"{statement} where activity_id = $2", days, activity["id"])
    finally:
        await connection.close()


async def until_attempted(world: World, activity: dict[str, Any], attempts: int) -> None:
    """Wait until the activity was sent so often."""
    await world.none_left(
        f"select count(*) from activities where activity_id = :id and attempts < {attempts}",
        id=activity["id"],
    )


async def test_a_write_that_is_lost_for_three_days_waits_for_a_person_whose_retry_searches_first(
    pulled: World, monkeypatch: pytest.MonkeyPatch
):
    # W7
    released = asyncio.Event()

    def write_when_released(faults: Faults, _: WriteFault, perform: Callable[[], object]) -> None:
        async def later() -> None:
            await released.wait()
            perform()

        faults.late_writes.add(asyncio.get_running_loop().create_task(later()))

    monkeypatch.setattr(apply, "_write_later", write_when_released)
    pulled.simulator.faults.add(WriteFault("unwritten", times=1))
    pulled.simulator.faults.add(WriteFault("late", times=1))
    activity = await post(pulled, EMAIL)
    await until_attempted(pulled, activity, 1)
    await age(pulled, activity, days=3)
    activity = await until(pulled, activity)
    assert (activity["status"], activity["reason"]) == ("failed", "unconfirmed")
    assert activity["problem"]["code"] == "unconfirmed"
    released.set()
    async with asyncio.timeout(PATIENCE):
        while not notes(pulled):
            await asyncio.sleep(0.02)
    answer = await pulled.api.post(f"/v1/accounts/hp/activities/{activity['id']}/retry")
    assert answer.status_code == 202
    assert (await until(pulled, activity, "written"))["attempts"] == 2
    assert len(notes(pulled)) == 1


async def test_a_retry_after_three_days_has_three_days_again(pulled: World):
    # W7, WB-8
    fault = pulled.simulator.faults.add(WriteFault("unwritten", times=99))
    activity = await post(pulled, EMAIL)
    await until_attempted(pulled, activity, 1)
    await age(pulled, activity, days=3)
    failed = await until(pulled, activity)
    assert (failed["reason"], failed["attempts"]) == ("unconfirmed", 2)
    await pulled.api.post(f"/v1/accounts/hp/activities/{activity['id']}/retry")
    await until_attempted(pulled, activity, 4)
    fault.times = 0
    assert (await until(pulled, activity))["status"] == "written"
    assert len(notes(pulled)) == 1


@pytest.mark.parametrize("status", ["200", "400", "401", "403", "404"])
async def test_a_page_of_a_proxy_is_no_verdict_about_a_write(pulled: World, status: str):
    # W5: neither refused nor gone, and nobody must connect again; the activity is searched, then sent again
    pulled.simulator.faults.add(WriteFault("unwritten", times=1, value=status))
    activity = await until(pulled, await post(pulled, EMAIL))
    assert (activity["status"], activity["reason"], activity["attempts"]) == ("written", None, 2)
    assert len(notes(pulled)) == 1
    searches = [one for one in pulled.simulator.requests("/api/v4/notes") if one.method == "GET"]
    assert len(searches) == 1
    assert {one["status"] async for one in pulled.all("connections")} == {"connected"}


@pytest.mark.parametrize(
    ("effect", "value", "times"), [("html", "", 8), ("status", "403", 8), ("refused", "404", 2)]
)
async def test_a_search_that_could_not_be_made_does_not_count(
    pulled: World, effect: Effect, value: str, times: int
):
    # W7, W9: however long ago the first attempt was, and a page does not say that the author cannot read the notes
    pulled.simulator.faults.add(WriteFault("bad_gateway", times=1))
    failing = pulled.simulator.faults.add(
        Fault(effect, path="api/v4/notes", value=value, times=times, skip=1)
    )
    activity = await post(pulled, EMAIL)
    await until_attempted(pulled, activity, 1)
    await age(pulled, activity, days=4)
    found = await until(pulled, activity)
    assert (found["status"], found["attempts"]) == ("written", 1)
    assert failing.hits == failing.times
    assert len(notes(pulled)) == 1


async def test_a_page_does_not_say_that_the_author_sees_the_contact(pulled: World):
    # W9
    pulled.simulator.faults.add(WriteFault("unwritten", times=1))
    page = pulled.simulator.faults.add(Fault("html", path="contacts/1001", times=4))
    activity = await until(pulled, await post(pulled, EMAIL))
    assert (activity["status"], activity["attempts"], page.hits) == ("written", 2, 4)


async def test_a_note_that_the_author_can_no_longer_read_is_never_sent_again(pulled: World):
    # W9: Cat can no longer see Alice after her note was stored
    await pulled.connect("u_cat", 503)
    pulled.simulator.faults.add(WriteFault("bad_gateway", times=1))
    activity = await post(pulled, {**EMAIL, "user_id": "u_cat"})
    async with asyncio.timeout(PATIENCE):
        while not notes(pulled):
            await asyncio.sleep(0.005)
    pulled.simulator.firms[0].restrict_matter(201, {501})
    pulled.simulator.firms[0].restrict_matter(202, {501})
    found = await until(pulled, activity)
    assert (found["status"], found["reason"]) == ("failed", "sent_unverified")
    assert len(notes(pulled)) == 1


async def test_a_contact_deleted_in_clio_is_distinguished_from_a_hidden_one(pulled: World):
    # WB-6, row 29: Cat does not see Hugo, Ann does; nobody sees Bram
    await pulled.connect("u_cat", 503)
    hidden = await until(
        pulled, await post(pulled, {**EMAIL, "user_id": "u_cat", "clio_contact_id": "1008"})
    )
    assert (hidden["status"], hidden["reason"]) == ("failed", "no_access")
    pulled.simulator.firms[0].delete("contact", 1002)
    gone = await until(pulled, await post(pulled, {**EMAIL, "clio_contact_id": "1002"}))
    assert (gone["status"], gone["reason"]) == ("failed", "contact_gone")
    assert notes(pulled) == []


async def test_a_conversation_removed_in_clio_is_not_created_again(pulled: World):
    first = await until(pulled, await post(pulled, TEXT))
    pulled.simulator.firms[0].delete("communication", int(first["clio"]["id"]))
    second = await until(pulled, await post(pulled, {**TEXT, "body": "newer"}))
    assert (second["status"], second["reason"]) == ("failed", "removed_in_clio")
    assert communications(pulled) == []


async def test_activities_are_listed_by_contact_status_and_kind(pulled: World):
    # WB-8
    alice = (await pulled.contacts())["1001"]["id"]
    by_our_id = {**EMAIL, "clio_contact_id": None, "contact_id": alice}
    first = await until(pulled, await post(pulled, by_our_id))
    blocked = await post(pulled, {**EMAIL, "user_id": "u_ben", "clio_contact_id": "1002"})

    async def ids(**params: str) -> list[str]:
        return [item["id"] async for item in pulled.all("activities", **params)]

    assert await ids() == [first["id"], blocked["id"]]
    assert await ids(contact_id=alice) == [first["id"]]
    assert await ids(contact_id=alice, status="failed") == []
    assert await ids(status="blocked", kind="email") == [blocked["id"]]
    assert await ids(kind="note") == []
    page = (await pulled.api.get("/v1/accounts/hp/activities", params={"limit": 1})).json()
    assert (len(page["data"]), page["has_more"]) == (1, True)


async def test_a_failed_activity_is_retried_and_one_that_is_not_in_clio_is_cancelled(pulled: World):
    # WB-8
    async def act(activity: dict[str, Any], what: str) -> tuple[int, str]:
        answer = await pulled.api.post(f"/v1/accounts/hp/activities/{activity['id']}/{what}")
        return answer.status_code, answer.json().get("code") or answer.json()["status"]

    firm = pulled.simulator.firms[0]
    bram = firm.find("contact", 1002)
    assert bram is not None
    firm.delete("contact", 1002)
    failed = await until(pulled, await post(pulled, {**EMAIL, "clio_contact_id": "1002"}))
    assert failed["problem"]["detail"]
    firm.put("contact", bram)
    assert await act(failed, "retry") == (202, "queued")
    written = await until(pulled, failed, "written")
    assert written["attempts"] == 2
    assert await act(written, "retry") == (409, "activity_not_retryable")
    assert await act(written, "cancel") == (409, "activity_not_cancellable")
    blocked = await post(pulled, {**EMAIL, "user_id": "u_ben"})
    assert await act(blocked, "cancel") == (200, "cancelled")
    assert await act(blocked, "cancel") == (200, "cancelled")
    await pulled.connect("u_ben", 502)
    await until(pulled, await post(pulled, EMAIL))
    assert len(notes(pulled)) == 2
    assert await act({"id": "act_none"}, "retry") == (404, "activity_not_found")


async def test_the_order_of_a_contacts_activities_is_kept_although_answers_are_lost(pulled: World):
    # W7
    pulled.simulator.faults.add(WriteFault("unwritten", skip=1, times=1))
    posted = [await post(pulled, {**EMAIL, "subject": str(nth)}) for nth in range(5)]
    for activity in posted:
        assert (await until(pulled, activity))["status"] == "written"
    assert [note["subject"] for note in notes(pulled)] == [f"Email: {nth}" for nth in range(5)]


async def test_a_disabled_account_accepts_no_activity(pulled: World):
    # EN-1; an activity that was accepted before is returned again for its key (API-7)
    before = await post(pulled, EMAIL, key="before")
    await pulled.create_account(enabled=False)
    assert (await post(pulled, EMAIL, status=403))["code"] == "integration_not_enabled"
    assert (await post(pulled, EMAIL, key="before"))["id"] == before["id"]


MALFORMED: list[tuple[dict[str, Any], str]] = [
    ({"subject": "x" * 1001}, "/subject"),
    ({"contact_id": "a\0b"}, "/contact_id"),
    ({"conversation_id": "a\0b"}, "/conversation_id"),
    ({"occurred_at": "2026-03-02T23:30:00"}, "/occurred_at"),
    ({"occurred_at": "9999-12-31T23:30:00-12:00"}, "/occurred_at"),
    ({"body_format": "markdown"}, "/body_format"),
    ({"clio_contact_id": "x"}, "/clio_contact_id"),
    ({"clio_contact_id": None}, ""),
    ({"status": "written"}, "/status"),
]


async def test_a_malformed_activity_is_refused_with_its_pointer(world: World):
    # WB-9, T13
    await world.create_account()
    for more, pointer in MALFORMED:
        problem = await post(world, {**EMAIL, **more}, status=422)
        assert [error["pointer"] for error in problem["errors"]] == [pointer]


@pytest.mark.parametrize("body_format", ["text", "html"])
async def test_nul_and_half_an_emoji_are_cleaned_away_and_logged(pulled: World, body_format: str):
    # WB-2, row 52
    sent = {
        **EMAIL,
        "subject": "Your\0 date",
        "body": "Dear \ud83dAlice\0,\udc00",
        "body_format": body_format,
    }
    with structlog.testing.capture_logs() as logs:
        activity = await post_escaped(pulled, sent, key="odd")
    assert (await until(pulled, activity))["status"] == "written"
    [note] = notes(pulled)
    assert note["subject"] == "Email: Your date"
    assert note["detail"].startswith("Dear Alice,\n\n2026-03-02")
    cleaned = [entry for entry in logs if entry["event"] == "activity_text_cleaned"]
    assert [(entry["activity_id"], entry["count"]) for entry in cleaned] == [(activity["id"], 4)]
    assert "Alice" not in repr(cleaned)


async def test_the_idempotency_key_compares_what_was_posted_before_it_is_cleaned(pulled: World):
    # API-7, row 52
    sent = {**EMAIL, "body": "Dear \ud83dAlice"}
    activity = await post_escaped(pulled, sent, key="odd")
    assert (await post_escaped(pulled, sent, key="odd"))["id"] == activity["id"]
    for body in ("Dear Alice", "Dear \ud83eAlice", "Dear \\ud83dAlice", "Dear \0Alice"):
        problem = await post_escaped(pulled, {**EMAIL, "body": body}, key="odd", status=422)
        assert problem["code"] == "idempotency_key_reused"


async def post_escaped(world: World, body: dict[str, Any], *, key: str, status: int = 202):
    """Post JSON in ASCII, in which half a character can be written."""
    headers = {"Idempotency-Key": key, "Content-Type": "application/json"}
    content = json.dumps(body).encode()
    answer = await world.api.post("/v1/accounts/hp/activities", content=content, headers=headers)
    assert answer.status_code == status, answer.text
    return answer.json()


async def test_a_mail_of_two_megabytes_is_truncated_and_says_so(pulled: World):
    # WB-9
    body = "<p>Hello <script>alert(1)</script>\N{GRINNING FACE}</p>" * 50_000
    assert len(body.encode()) > 2_000_000
    activity = await post(pulled, {**EMAIL, "body": body, "body_format": "html"})
    assert (await until(pulled, activity))["status"] == "written"
    (note,) = notes(pulled)
    assert len(note["detail"].encode()) <= 60_000 < MAX_TEXT_BYTES
    assert "script" not in note["detail"]
    assert "more characters did not fit.]" in note["detail"].rsplit("\n", 3)[-4]


ODD = [
    ("", "(no text)"),
    ("<p></p>", "<p></p>"),
    ("pay \u202egpj.exe\u202c now", "pay gpj.exe now"),
    ("\N{GRINNING FACE}" * 100, "\N{GRINNING FACE}" * 100),
    ("=1+1", "=1+1"),
]


async def test_unusual_texts_are_written(pulled: World):
    # WB-9, T11
    for body, _ in ODD:
        written = await until(pulled, await post(pulled, {**EMAIL, "body": body}))
        assert written["status"] == "written"
    for note, (_, start) in zip(notes(pulled), ODD, strict=True):
        assert note["detail"].startswith(f"{start}\n\n2026-03-02")
