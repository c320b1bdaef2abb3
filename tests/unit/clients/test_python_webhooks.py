"""The Python client accepts exactly the webhooks that the service signed lately, of any type."""

import base64
import json
from datetime import UTC, datetime, timedelta

import pytest
from levitate_clio import InvalidSignature, Unreadable, webhooks
from standardwebhooks import Webhook

from app.main import now
from app.webhook_sender import Message, signature_header
from tests.support.scripted_api import event

NOW = datetime(2026, 3, 3, 11, 4, 9, tzinfo=UTC)
SECRET, OTHER = (
    f"whsec_{base64.b64encode(text).decode()}" for text in (b"the secret of a test", b"another one")
)
EVENT = {"type": "client.new", "timestamp": "2026-03-03T11:04:09.512Z", "data": {"x": "é"}}
BODY = json.dumps(EVENT, ensure_ascii=False).encode()
ID = "evt_1"


def headers(*secrets: str, body: bytes = BODY, at: datetime = NOW) -> dict[str, str]:
    """Return the headers with which the service sends the body."""
    return {
        "Webhook-Id": ID,
        "Webhook-Timestamp": str(int(at.timestamp())),
        "Webhook-Signature": signature_header(secrets, Message(ID, body), at),
    }


def test_what_the_service_signed_is_an_event():
    received = webhooks.verify(BODY, headers(SECRET), SECRET, now=NOW)
    assert (received.id, received.type_, received.data) == (ID, "client.new", {"x": "é"})
    assert received.timestamp == NOW + timedelta(microseconds=512000)


@pytest.mark.parametrize(
    ("signed_with", "known"),
    [((SECRET, OTHER), [OTHER]), ((SECRET,), [OTHER, SECRET]), ((OTHER, SECRET), [SECRET, OTHER])],
)
def test_one_secret_that_both_sides_know_is_enough(signed_with, known):
    assert webhooks.verify(BODY, headers(*signed_with), known, now=NOW).id == ID


@pytest.mark.parametrize(
    "change",
    [
        {"Webhook-Id": "evt_2"},
        {"Webhook-Timestamp": str(int(NOW.timestamp()) + 1)},
        {"Webhook-Signature": ""},
        {"Webhook-Signature": "v1,"},
        {"Webhook-Signature": "v1,AAAA v1a,é \udcff"},
        {"Webhook-Timestamp": "soon"},
        {"Webhook-Timestamp": "1" * 5000},
        {"Webhook-Timestamp": "²"},
        {"Webhook-Id": ""},
    ],
)
def test_a_changed_header_is_refused(change):
    with pytest.raises(InvalidSignature):
        webhooks.verify(BODY, {**headers(SECRET), **change}, SECRET, now=NOW)


@pytest.mark.parametrize("missing", ["Webhook-Id", "Webhook-Timestamp", "Webhook-Signature"])
def test_a_missing_header_is_refused(missing):
    left = {name: value for name, value in headers(SECRET).items() if name != missing}
    with pytest.raises(InvalidSignature):
        webhooks.verify(BODY, left, SECRET, now=NOW)


def test_another_version_of_the_same_signature_is_refused():
    changed = headers(SECRET)["Webhook-Signature"].replace("v1,", "v1a,")
    with pytest.raises(InvalidSignature):
        webhooks.verify(BODY, {**headers(SECRET), "Webhook-Signature": changed}, SECRET, now=NOW)


@pytest.mark.parametrize("known", [OTHER, [OTHER], []])
def test_the_signature_of_another_secret_is_refused(known):
    with pytest.raises(InvalidSignature) as caught:
        webhooks.verify(BODY, headers(SECRET), known, now=NOW)
    assert OTHER not in str(caught.value)


def test_another_body_is_refused():
    with pytest.raises(InvalidSignature):
        webhooks.verify(BODY + b" ", headers(SECRET), SECRET, now=NOW)


@pytest.mark.parametrize("seconds", [-301, 301])
def test_what_is_too_old_or_of_the_future_is_refused(seconds):
    signed = headers(SECRET, at=NOW + timedelta(seconds=seconds))
    with pytest.raises(InvalidSignature):
        webhooks.verify(BODY, signed, SECRET, now=NOW)
    assert webhooks.verify(BODY, signed, SECRET, now=NOW, tolerance=301).id == ID


def test_the_time_is_that_of_the_machine_without_another():
    with pytest.raises(InvalidSignature, match="too far"):
        webhooks.verify(BODY, headers(SECRET, at=NOW - timedelta(days=4000)), SECRET)


def test_a_new_type_and_a_new_field_are_an_event():
    body = json.dumps({**event("", "planet.found", moons=[1, 2]), "since": 2027}).encode()
    received = webhooks.verify(body, headers(SECRET, body=body), SECRET, now=NOW)
    assert (received.type_, received.data) == ("planet.found", {"moons": [1, 2]})
    assert received["since"] == 2027


@pytest.mark.parametrize("body", [b"[]", b"null", b"not json", b'"text"', b"{}", b"\xff"])
def test_a_signed_body_that_is_no_event_is_an_error(body):
    signed = webhooks.sign(body, SECRET, ID, NOW)
    with pytest.raises(Unreadable):
        webhooks.verify(body, signed, SECRET, now=NOW)


def test_a_body_that_was_read_as_text_is_refused():
    with pytest.raises(TypeError):
        webhooks.verify(BODY.decode(), headers(SECRET), SECRET, now=NOW)  # type: ignore[arg-type]


@pytest.mark.parametrize("secret", ["whsec_not base64", "whsec_", ""])
def test_a_secret_that_is_none_is_an_error_without_the_secret(secret):
    with pytest.raises(ValueError, match="a webhook secret is") as caught:
        webhooks.verify(BODY, headers(SECRET), secret, now=NOW)
    assert "not base64" not in str(caught.value)


def test_the_signature_for_tests_is_that_of_the_standard():
    signed = webhooks.sign(BODY, SECRET, ID, now())
    assert Webhook(SECRET).verify(BODY, signed) == EVENT
