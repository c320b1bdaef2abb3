"""Time zones that an account cannot choose; accounts that have one from before keep working."""

from sqlalchemy import text

from tests.support.sessions import as_owner
from tests.support.world import World

HP = "/v1/accounts/hp"
NOTE = {
    "kind": "note",
    "user_id": "u_ann",
    "clio_contact_id": "1001",
    "occurred_at": "2026-03-03T12:00:00Z",
    "body": "Called",
}


async def test_a_zone_that_names_no_place_is_422_and_says_what_is_wanted(world: World):
    await world.create_account()
    account = (await world.api.get(HP)).json()
    fields = ("name", "country", "primary_user_id", "enabled")
    for zone in ("Factory", "localtime", "Etc/GMT+5", "../UTC"):
        body = {"time_zone": zone, **{name: account[name] for name in fields}}
        answer = await world.api.put(HP, json=body)
        assert answer.status_code == 422
        assert answer.json()["errors"] == [
            {
                "pointer": "/time_zone",
                "detail": "must be a time zone of the IANA database that names a place; send one such as"
                " America/New_York, or UTC",
            }
        ]


async def test_an_account_with_an_older_zone_is_read_run_and_takes_activities(pulled: World):
    for zone in ("Etc/GMT+5", "localtime", "Mars/Base"):
        async with as_owner(pulled.app.state.services.database) as session:
            await session.execute(text("update accounts set time_zone = :zone"), {"zone": zone})
        assert (await pulled.api.get(HP)).json()["time_zone"] == zone
        listed = (await pulled.api.get("/v1/accounts")).json()["data"]
        assert [one["time_zone"] for one in listed] == [zone]
        assert (await pulled.api.get(f"{HP}/status")).json()["next_run_at"]
        headers = {"Idempotency-Key": zone}
        answer = await pulled.api.post(f"{HP}/activities", json=NOTE, headers=headers)
        assert answer.status_code == 202, answer.text
        written = "select count(*) from activities where activity_id = :id and written_at is null"
        await pulled.none_left(written, id=answer.json()["id"])
        ended = await pulled.run()
        assert ended["status"] == "succeeded"
