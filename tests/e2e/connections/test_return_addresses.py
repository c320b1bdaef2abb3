"""The browser is sent back to a configured origin only, whatever `return_url` says (T5, RFC 9700 §4.11)."""

from urllib.parse import urlsplit

import pytest

from tests.support.world import World

ALLOWED = "levitate.test"
ADDRESSES = [
    "http://levitate.test/", "https://levitate.test:8443/", "https://levitate.test:443@evil.test/",
    "https://evil.test/", "https://evil.test/https://levitate.test/", "https://evil.test?https://levitate.test",
    "https://evil.test#https://levitate.test", "https://levitate.test.evil.test/", "https://evil-levitate.test/",
    "https://levitate.test@evil.test/", "https://levitate.test%40evil.test/", "https://levitate.test%2f@evil.test/",
    "https://levitate.test%00.evil.test/", "https://levitate.test%0d%0aLocation:%20https://evil.test/",
    "https://levitate.test\\@evil.test/", "https://levitate.test\\.evil.test/", "https:\\\\evil.test/",
    "https:/\\evil.test/", "https:///evil.test/", "https:evil.test", "https://evil.test\\levitate.test/",
    "//evil.test/", "///evil.test/", "\\\\evil.test/", "/\\evil.test/", "/", "", " ", "evil.test", "levitate.test",
    "javascript:alert(1)", "JAVASCRIPT:alert(1)", "java\nscript:alert(1)", "data:text/html,x", "vbscript:x",
    "file:///etc/passwd", "ftp://levitate.test/", "blob:https://levitate.test/x", "about:blank",
    "https://LEVITATE.TEST.EVIL.TEST/", "https://levitate.test。evil.test/", "https://levitate。test/",
    "https://xn--levitate-test-9o3d/", "https://levitаte.test/", "https://levitate.test./", "https://.levitate.test/",
    "https://user@levitate.test/", "https://user:secret@levitate.test/", "https://levitate.test:0/",
    "https://levitate.test:99999/", "https://127.0.0.1/", "https://[::1]/", "https://0x7f000001/", "https://2130706433/",
    "https://169.254.169.254/", "http://127.0.0.1/", "https://levitate.test\t.evil.test/",
    "https://levitate.test\r\n.evil.test/", "https://levitate.test\u2028.evil.test/", " https://evil.test/",
    "https://evil.test/?next=https://levitate.test/done", "https://*.levitate.test/",
]  # fmt: skip


async def test_no_address_leads_away_from_the_configured_origin(world: World):
    assert len(ADDRESSES) >= 60
    await world.create_account()
    for address in ADDRESSES:
        body = {"user_id": "u_ann", "region": "us", "return_url": address}
        answer = await world.api.post("/v1/accounts/hp/connections", json=body)
        link = await world.api.post("/v1/accounts/hp/connect-links", json=body)
        assert answer.status_code == link.status_code, address
        if answer.status_code == 422:
            continue
        callback = await world.approve(answer.json()["authorize_url"], "decline")
        parts = urlsplit((await world.api.get(callback)).headers["location"])
        assert (parts.scheme, parts.netloc) == ("https", ALLOWED), address


@pytest.mark.parametrize(
    "address",
    [
        "https://levitate.test",
        "https://levitate.test/a b?x=%0d%0aSet-Cookie:a=b#part",
        "https://levitate.test//evil.test/",
        "https://levitate.test/\\evil.test",
        "https://LEVITATE.test/done",
    ],
)
async def test_an_address_of_the_origin_is_kept_and_gets_the_outcome(world: World, address: str):
    await world.create_account()
    body = {"user_id": "u_ann", "region": "us", "return_url": address}
    answer = await world.api.post("/v1/accounts/hp/connections", json=body)
    assert answer.status_code == 201, answer.text
    end = await world.api.get(await world.approve(answer.json()["authorize_url"], "decline"))
    location = end.headers["location"]
    assert urlsplit(location).netloc == ALLOWED
    assert "clio=declined" in urlsplit(location).query
    assert "set-cookie" not in end.headers
