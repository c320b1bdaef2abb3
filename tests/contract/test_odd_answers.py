"""The odd answers that Clio, or whatever stands between Clio and us, has given: one row for each, with its meaning.

Only Clio's error object is a verdict. OAuth's form is one at the OAuth endpoints, and for an access token that has
ended. A 429 needs neither. Everything else means "later", and for a write also that Clio may have done it [W4, W5].
"""

import base64
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import httpx
import pytest
from pydantic import SecretStr

from app.clio import notes, webhooks
from app.clio.allowed_writes import NewCommunication, NewNote
from app.clio.client import ClioClient
from app.clio.errors import (
    ClioError,
    ClioMisconfigured,
    ClioRateLimited,
    ClioReauthRequired,
    ClioRefused,
    ClioRetryLater,
)
from app.clio.oauth import ClioOAuth, Tokens
from app.clio.regions import ClioApp, Region
from app.clio.resources import CONTACTS, RELATIONSHIPS
from app.db.outbox.activities import Reason
from app.lanes import Lane
from app.sync.writeback import outcomes
from tests.support.scripted_clio import NOW, Case, Scripted, Source, answered

WRAPPED = base64.b64encode(b'{"error": {"type": "RateLimited"}}').decode()
BODIES: dict[str, Any] = {
    "nothing": b"",
    "a page": b"<html><body><h1>Access denied</h1></body></html>",
    "a word": "Forbidden",
    "half": b'{"error": {"type": "ForbiddenError", "mess',
    "no data": {},
    "null": {"data": None},
    "text": {"data": WRAPPED},
    "an error without a message": {"error": {"type": "ForbiddenError"}},
    "an error without a type": {"error": {"message": "User is forbidden from taking that action"}},
    "Clio's error": {"error": {"type": "ForbiddenError", "message": "User is forbidden"}},
    "Clio's field": {"error": {"type": "InvalidFields", "message": "id is not a valid field"}},
    "invalid_token": {"error": "invalid_token", "error_description": "It has expired"},
    "invalid_grant": {"error": "invalid_grant", "error_description": "It was revoked"},
    "invalid_client": {"error": "invalid_client", "error_description": "Unknown client"},
    "another word": {"error": "access_denied"},
}
LATER, LIMITED = ClioRetryLater, ClioRateLimited
RECONNECT, REFUSED, OPERATOR = ClioReauthRequired, ClioRefused, ClioMisconfigured
SEARCHED = Reason.CHECKING  # Clio may have done it
AGAIN = Reason.WAITING  # Clio has not done it, and it is sent again
ENDED = Reason.NEEDS_CONNECTION


@dataclass(frozen=True)
class Odd:
    """An answer, and what it means to a list, to a single record, and to a note that is written."""

    status: int
    body: str
    listed: type[ClioError]
    single: type[ClioError]
    written: Reason

    def response(self) -> httpx.Response:
        # so long that the client does not wait for it
        limit = {"Retry-After": "3600"} if self.status == 429 else None
        return answered(BODIES[self.body], self.status, limit)


API = [
    # an outage, a proxy or a firewall with a status of success
    Odd(200, "nothing", LATER, LATER, SEARCHED),
    Odd(200, "a page", LATER, LATER, SEARCHED),
    Odd(200, "a word", LATER, LATER, SEARCHED),
    Odd(200, "half", LATER, LATER, SEARCHED),
    Odd(200, "no data", LATER, LATER, SEARCHED),
    Odd(200, "null", LATER, LATER, SEARCHED),
    Odd(200, "text", LATER, LATER, SEARCHED),
    Odd(200, "Clio's error", LATER, LATER, SEARCHED),
    Odd(200, "invalid_token", LATER, LATER, SEARCHED),
    Odd(201, "nothing", LATER, LATER, SEARCHED),
    Odd(201, "a page", LATER, LATER, SEARCHED),
    Odd(201, "text", LATER, LATER, SEARCHED),
    Odd(202, "no data", LATER, LATER, SEARCHED),
    Odd(204, "nothing", LATER, LATER, SEARCHED),
    Odd(302, "a page", LATER, LATER, SEARCHED),
    Odd(304, "nothing", LATER, LATER, SEARCHED),
    # a refusal that is not Clio's
    Odd(400, "nothing", LATER, LATER, SEARCHED),
    Odd(400, "a page", LATER, LATER, SEARCHED),
    Odd(400, "another word", LATER, LATER, SEARCHED),
    Odd(401, "nothing", LATER, LATER, SEARCHED),
    Odd(401, "a page", LATER, LATER, SEARCHED),
    Odd(401, "another word", LATER, LATER, SEARCHED),
    Odd(401, "invalid_client", LATER, LATER, SEARCHED),
    Odd(403, "nothing", LATER, LATER, SEARCHED),
    Odd(403, "a page", LATER, LATER, SEARCHED),
    Odd(403, "a word", LATER, LATER, SEARCHED),
    Odd(403, "half", LATER, LATER, SEARCHED),
    Odd(403, "another word", LATER, LATER, SEARCHED),
    Odd(403, "invalid_token", LATER, LATER, SEARCHED),
    Odd(403, "an error without a message", LATER, LATER, SEARCHED),
    Odd(403, "an error without a type", LATER, LATER, SEARCHED),
    Odd(404, "nothing", LATER, LATER, SEARCHED),
    Odd(404, "a page", LATER, LATER, SEARCHED),
    Odd(404, "no data", LATER, LATER, SEARCHED),
    Odd(407, "a page", LATER, LATER, SEARCHED),
    Odd(410, "nothing", LATER, LATER, SEARCHED),
    Odd(410, "a page", LATER, LATER, SEARCHED),
    Odd(412, "a page", LATER, LATER, SEARCHED),
    Odd(422, "a page", LATER, LATER, SEARCHED),
    Odd(451, "a page", LATER, LATER, SEARCHED),
    # statuses that never decide, whoever sends them
    Odd(408, "Clio's error", LATER, LATER, SEARCHED),
    Odd(425, "Clio's error", LATER, LATER, SEARCHED),
    Odd(500, "a page", LATER, LATER, SEARCHED),
    Odd(500, "Clio's error", LATER, LATER, SEARCHED),
    Odd(502, "a page", LATER, LATER, SEARCHED),
    Odd(503, "nothing", LATER, LATER, SEARCHED),
    Odd(503, "Clio's error", LATER, LATER, SEARCHED),
    Odd(504, "invalid_token", LATER, LATER, SEARCHED),
    # the rate limit: the status decides alone
    Odd(429, "nothing", LIMITED, LIMITED, AGAIN),
    Odd(429, "a page", LIMITED, LIMITED, AGAIN),
    Odd(429, "text", LIMITED, LIMITED, AGAIN),
    Odd(429, "Clio's error", LIMITED, LIMITED, AGAIN),
    # what Clio itself says
    Odd(400, "Clio's error", OPERATOR, OPERATOR, Reason.REFUSED),
    Odd(400, "Clio's field", OPERATOR, OPERATOR, Reason.REFUSED),
    Odd(401, "invalid_token", RECONNECT, RECONNECT, ENDED),
    Odd(401, "Clio's error", RECONNECT, RECONNECT, ENDED),
    Odd(403, "Clio's error", REFUSED, REFUSED, Reason.NO_ACCESS),
    Odd(
        404, "Clio's error", LATER, REFUSED, Reason.CONTACT_GONE
    ),  # there is no list that Clio lacks
    Odd(410, "Clio's error", OPERATOR, OPERATOR, AGAIN),
    Odd(412, "Clio's error", REFUSED, REFUSED, Reason.REFUSED),
    Odd(422, "Clio's error", REFUSED, REFUSED, Reason.REFUSED),
]
TOKENS = Tokens(SecretStr("old-access"), SecretStr("old-refresh"), NOW)
# status, body, a refresh of the tokens, the end of access; None is success
OAUTH: list[tuple[int, str, type[ClioError], type[ClioError] | None]] = [
    (200, "nothing", LATER, None),
    (200, "a page", LATER, LATER),
    (200, "no data", LATER, LATER),
    (204, "nothing", LATER, LATER),
    (302, "a page", LATER, LATER),
    (400, "a page", LATER, LATER),
    (400, "invalid_grant", RECONNECT, LATER),
    (401, "nothing", LATER, LATER),
    (401, "a page", LATER, LATER),
    (401, "invalid_client", OPERATOR, RECONNECT),
    (401, "invalid_grant", RECONNECT, RECONNECT),
    (401, "invalid_token", LATER, RECONNECT),
    (401, "Clio's error", LATER, RECONNECT),
    (403, "a page", LATER, LATER),
    (403, "another word", LATER, LATER),
    (404, "a page", LATER, LATER),
    (410, "a page", LATER, LATER),
    (429, "invalid_grant", LATER, LATER),
    (500, "invalid_grant", LATER, LATER),
    (503, "nothing", LATER, LATER),
]

Call = Callable[[ClioClient], Awaitable[Any]]
NOTE = NewNote(1001, "Email: x", "Hello", date(2026, 3, 2))
TEXTS = NewCommunication("Text messages", "Hello", NOW, [], [], [])


async def first_page(clio: ClioClient) -> None:
    await anext(clio.pages(RELATIONSHIPS))


LISTS: dict[str, Call] = {
    "a list": first_page,
    "many records": lambda clio: clio.get_many(CONTACTS, [1, 2]),
    "the search of a note": lambda clio: notes.find_notes(clio, 1001, "Ref", since=NOW),
    "the search of a communication": lambda clio: notes.find_communications(clio, "name", "x"),
    "the search of a subscription": lambda clio: webhooks.find(clio, bool),
}
SINGLES: dict[str, Call] = {
    "one record": lambda clio: clio.get_one(CONTACTS, 1001),
    "the user": lambda clio: clio.who_am_i(),
}
SIGHT: dict[str, Call] = {"whether a contact is seen": lambda clio: clio.sees_contact(1001)}
WRITES: dict[str, Call] = {
    "a note": lambda clio: notes.create_note(clio, NOTE),
    "a communication": lambda clio: notes.create_communication(clio, TEXTS),
}
OTHER_WRITES: dict[str, Call] = {
    "a change of a communication": lambda clio: notes.update_communication(clio, 8, body="x"),
    "a subscription": lambda clio: webhooks.subscribe(clio, "https://us.test", "contact", now=NOW),
    "a renewal": lambda clio: webhooks.renew(clio, 12, now=NOW),
}


async def error_of(call: Call, odd: Odd, lane: Lane = Lane.INCREMENTAL) -> ClioError:
    """Return the error of a call that gets the odd answer each time that it asks."""
    case = Case(lambda _: odd.response(), source=Source(*["another-token"] * 9), lane=lane)
    with pytest.raises(ClioError) as raised:
        await call(case.client)
    return raised.value


def named(odd: Odd) -> str:
    return f"{odd.status} {odd.body}"


@pytest.mark.parametrize("odd", API, ids=named)
async def test_an_odd_answer_to_a_read_means_what_the_table_says(odd: Odd):
    for name, call in LISTS.items():
        assert is_exactly(await error_of(call, odd), odd.listed), name
    for name, call in SINGLES.items():
        assert is_exactly(await error_of(call, odd), odd.single), name


@pytest.mark.parametrize("odd", API, ids=named)
async def test_an_odd_answer_to_a_write_means_what_the_table_says(odd: Odd):
    for name, call in WRITES.items():
        error = await error_of(call, odd, Lane.WRITE_BACK)
        outcome = outcomes.after_failed_write(error, pause=timedelta(minutes=1), updating=False)
        assert outcome.reason is odd.written, name
        assert outcome.unsure is (odd.written is SEARCHED), name


NOT_CLIOS = [odd for odd in API if odd.written is SEARCHED]


@pytest.mark.parametrize("odd", NOT_CLIOS, ids=named)
async def test_an_answer_that_is_not_clios_decides_nothing_in_any_call(odd: Odd):
    """No subscription counts as gone, no contact as hidden, and nothing as deleted."""
    for name, call in SIGHT.items():
        assert is_exactly(await error_of(call, odd), LATER), name
    for name, call in OTHER_WRITES.items():
        error = await error_of(call, odd, Lane.WRITE_BACK)
        assert error.code == "clio_write_unsure", name
    if odd.status != 204:
        error = await error_of(lambda clio: webhooks.unsubscribe(clio, 12), odd)
        assert error.code == "clio_write_unsure"


@pytest.mark.parametrize("odd", [odd for odd in NOT_CLIOS if odd.status == 401], ids=named)
async def test_a_401_that_is_not_clios_spends_no_token(odd: Odd):
    for call in (*SINGLES.values(), *WRITES.values()):
        case = Case(lambda _: odd.response())
        with pytest.raises(ClioError):
            await call(case.client)
        assert case.source.refused == []


@pytest.mark.parametrize(
    ("status", "body", "refresh", "end"), OAUTH, ids=[f"{row[0]} {row[1]}" for row in OAUTH]
)
async def test_an_odd_answer_of_the_oauth_endpoints_means_what_the_table_says(
    status: int, body: str, refresh: type[ClioError], end: type[ClioError] | None
):
    app = ClioApp(Region.US, "https://app.clio.com", "our-id", SecretStr("our-secret"))
    transport = httpx.MockTransport(Scripted(lambda _: answered(BODIES[body], status)))
    oauth = ClioOAuth(app, transport=transport)
    with pytest.raises(ClioError) as raised:
        await oauth.refresh(TOKENS, now=NOW)
    assert is_exactly(raised.value, refresh)
    if end is None:
        await oauth.deauthorize(TOKENS)
        return
    with pytest.raises(ClioError) as raised:
        await oauth.deauthorize(TOKENS)
    assert is_exactly(raised.value, end)


def is_exactly(error: ClioError, meaning: type[ClioError]) -> bool:
    """Return whether an error has this meaning. A rate limit is "later" too, but has a meaning of its own."""
    return isinstance(error, meaning) and (meaning is LIMITED or not isinstance(error, LIMITED))


def test_every_body_of_the_table_is_used():
    assert {odd.body for odd in API} | {row[1] for row in OAUTH} == BODIES.keys()
