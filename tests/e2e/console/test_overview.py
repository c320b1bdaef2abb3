"""The overview: health in a sentence, who is connected, links to send, and what to do."""

from tests.support.console import in_console
from tests.support.world import World


async def test_a_new_firm_is_told_to_send_links(world: World):
    await world.create_account()
    async with in_console(world) as maya:
        page = await maya.read()
        assert "Nobody has connected Clio yet." in page.words
        assert "0 of 4 users" in page.panel("Who is connected")
        made = await maya.press(page, "Get a link for Ben Pike")
        assert made.status == 200
        (field,) = made.document.xpath("//input[@readonly]")
        link = field.get("value")
        assert "/oauth/links/" in link
        (mail,) = made.document.xpath("//a[starts-with(@href, 'mailto:ben@harlowpike.test')]")
        assert "Write the mail" in mail.text_content()
        assert "Connect <bdi>Ben Pike</bdi> to Clio" in (await maya.browser.get(link)).text
        all_of_them = await maya.press(page, "Get 4 links")
        assert len(all_of_them.document.xpath("//input[@readonly]")) == 4


async def test_a_firm_that_works_says_so(pulled: World):
    async with in_console(pulled) as maya:
        page = await maya.read()
    health = page.words_in("//section[@id='health']")
    assert "The last sync ended today at" in health
    assert "Ann Harlow Connected" in page.panel("Who is connected")
    assert "Active Client" in page.panel("People")
    assert "1 of 1 sync succeeded" in page.panel("Syncs of the last 30 days")


async def test_an_attorney_who_is_nobody_is_something_to_do(pulled: World):
    async with in_console(pulled) as maya:
        page = await maya.read()
        todo = page.panel("What to do")
        assert "Dana Voss is an attorney in Clio, but nobody in Levitate" in todo
        assert "1 person has a matter that names this attorney" in todo


async def test_a_sync_is_asked_for_once_by_one_form(pulled: World):
    async with in_console(pulled) as maya:
        page = await maya.read()
        started = await maya.press(page, "Sync now")
        assert "A sync is starting." in started.words
        await maya.press(page, "Sync now")
    asked = [run for run in await pulled.settled() if run["trigger"] == "manual"]
    assert len(asked) == 1


async def test_the_integration_is_switched_off_and_on(pulled: World):
    async with in_console(pulled) as maya:
        off = await maya.press(await maya.read(), "Switch off", enabled="false")
        assert "The integration is switched off." in off.words
        assert (await pulled.api.get("/v1/accounts/hp")).json()["enabled"] is False
        stale = await maya.press(off, "Switch on")
        assert "The integration is switched on." in stale.words
        assert (await pulled.api.get("/v1/accounts/hp")).json()["enabled"] is True
        too_late = await maya.press(off, "Switch on")
        assert too_late.status == 412
        assert "This was not done" in too_late.words


async def test_an_issue_names_people_and_has_a_step(pulled: World):
    await pulled.api.put("/v1/accounts/hp", json={
        "name": "Harlow & Pike LLP", "time_zone": "America/New_York", "country": "US",
        "primary_user_id": None, "enabled": True,
    })  # fmt: skip
    await pulled.settled()
    async with in_console(pulled) as maya:
        page = await maya.read()
    assert "The Primary Levitate User is missing" in page.panel("What to do")
    assert page.document.xpath("//a[contains(@href, '/attorneys#primary')]")


async def test_names_with_markup_are_shown_as_text(world: World):
    name = "<script>alert(1)</script> \u202eexe.gpj"
    await world.create_account(name=name)
    async with in_console(world) as maya:
        page = await maya.read()
    assert page.document.xpath("//h1//bdi")[0].text_content() == name
    assert page.document.xpath("//script[not(@src)]") == []
