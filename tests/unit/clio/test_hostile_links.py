"""The token is sent to Clio's API only, for any `next` link and any redirect [T1]."""

import httpx
import pytest

from app.clio.errors import ClioRetryLater, ClioUnreadable
from app.clio.resources import CONTACTS as CONTACT_LIST
from tests.support.scripted_clio import ORIGIN, Case, page

PATH = "/api/v4/contacts.json"
QUERY = "?page_token=x"
ELSEWHERE = [
    "https://evil.test{path}",
    "https://app.clio.com.evil.test{path}",
    "https://app.clio.com:444{path}",
    "https://app.clio.com:80{path}",
    "https://app.clio.com:0{path}",
    "https://eu.app.clio.com{path}",
    "https://app.clio.com@evil.test{path}",
    "https://app.clio.com:443@evil.test{path}",
    "https://user:pass@app.clio.com{path}",
    "https://user@app.clio.com{path}",
    "https://:pass@app.clio.com{path}",
    "https://evil.test#@app.clio.com{path}",
    "https://evil.test?@app.clio.com{path}",
    "https://evil.test\\@app.clio.com{path}",
    "https://app.clio.com\\.evil.test{path}",
    "https://app.clio.com%2eevil.test{path}",
    "https://app.clio.com%00.evil.test{path}",
    "https://app.clio.com.{path}",
    "https://app。clio。com.evil.test{path}",
    "https://xn--pp-yja.clio.com{path}",
    "https://xn--{path}",
    "https://xn--999999999999{path}",
    "https://аpp.clio.com{path}",  # the first letter is Cyrillic: that is the attack
    "https://127.0.0.1{path}",
    "https://2130706433{path}",
    "https://0x7f000001{path}",
    "https://[::1]{path}",
    "https://[::ffff:127.0.0.1]{path}",
    "https://[::1{path}",
    "https://169.254.169.254{path}",
    "https://{path}",
    "https:{path}",
    "https:///evil.test{path}",
    "//evil.test{path}",
    "///evil.test{path}",
    "\\\\evil.test{path}",
    "ftp://app.clio.com{path}",
    "file://{path}",
    "javascript:alert(1)",
    "data:text/plain,x",
    "ws://app.clio.com{path}",
    "https://app.clio.com:99999{path}",
    "https://app.clio.com:port{path}",
    "https://app.clio.com /x{path}",
    "https://app.clio.com\r\nHost: evil.test{path}",
    "https://app.clio.com\x00{path}",
    "https://app.clio.com/oauth/token",
    "https://app.clio.com/",
    "https://app.clio.com/api/v4/../../oauth/token",
    "https://app.clio.com/api/v4/%2e%2e/%2e%2e/oauth/token",
    "https://app.clio.com/api/v4/..%2f..%2foauth/token",
    "https://app.clio.com/api/v4%2fcontacts.json",
    "https://app.clio.com//api/v4/contacts.json",
    "https://app.clio.com/api/v4/a%3fb%23c",
    "http://app.clio.com:443{path}",
]


async def hostile(link: str, *answers: httpx.Response) -> Case:
    case = Case(*answers)
    with pytest.raises((ClioUnreadable, ClioRetryLater)) as raised:
        async for _ in case.client.pages(CONTACT_LIST):
            pass
    assert "evil" not in str(raised.value)
    for request in case.clio.requests:
        assert str(request.url).startswith(f"{ORIGIN}{PATH}?"), link
        assert request.url.params.get("page_token") is None
    return case


@pytest.mark.parametrize("link", ELSEWHERE)
async def test_a_hostile_next_link_is_never_requested(link: str):
    await hostile(link, page([1], following=link.format(path=PATH) + QUERY))


@pytest.mark.parametrize("status", [301, 302, 307, 308])
@pytest.mark.parametrize("link", ELSEWHERE)
async def test_a_hostile_redirect_is_never_followed(link: str, status: int):
    location = link.format(path=PATH).encode()
    await hostile(link, httpx.Response(status, headers=[(b"Location", location)]))


@pytest.mark.parametrize(
    "host",
    ["https://evil.test", "//evil.test", "https://app.clio.com:444", "https://user@app.clio.com"],
)
async def test_the_path_of_a_redirect_to_another_host_is_not_asked_for_at_our_own(host: str):
    location = f"{host}/api/v4/matters.json"
    await hostile(host, httpx.Response(307, headers={"Location": location}))


@pytest.mark.parametrize(
    "following",
    [
        f"{ORIGIN}{PATH}",
        f"{ORIGIN}{PATH}?page_token=",
        f"{ORIGIN}{PATH}?page_token=a&page_token=",
        f"{ORIGIN}{PATH}?page_token=a%00b",
        f"{ORIGIN}{PATH}?page_token={'a' * 5000}",
        f"{ORIGIN}/api/v4/matters.json{QUERY}",
        f"{ORIGIN}{PATH}.json{QUERY}",
        "matters.json?page_token=x",
        "../contacts.json?page_token=x",
        " ",
        "\x00",
        5,
        True,
        [],
        {"href": f"{ORIGIN}{PATH}{QUERY}"},
        "https://" + "a" * 70_000,
    ],
)
async def test_a_next_link_without_one_plain_page_token_on_this_list_ends_the_pull(
    following: object,
):
    await hostile(str(following)[:40], page([1], following=following))


@pytest.mark.parametrize("host", ["app.clio.com", "app.clio.com:443", "APP.CLIO.COM"])
async def test_another_spelling_of_the_same_origin_is_accepted(host: str):
    case = Case(page([1], following=f"https://{host}{PATH}{QUERY}"), page([2]))
    found = [len(found.items) async for found in case.client.pages(CONTACT_LIST)]
    assert found == [1, 1]
    assert {request.url.host for request in case.clio.requests} == {"app.clio.com"}
