"""Key rotation while the service runs; a wrong key is not treated as a lost login."""

import asyncio
from collections.abc import Mapping
from dataclasses import replace

import asyncpg
import pytest
from sqlalchemy import text

from app.clio.regions import Region
from app.crypto import DecryptionFailed, TokenCipher, new_key
from app.db import tables
from app.db.connections import connections, sealed_columns, stored_tokens
from app.db.session import Database
from app.main import Parts, create_app, now
from app.simulator.http.server import Simulator
from app.sync import key_rotation
from app.sync.events.endpoint_secrets import valid_secrets
from app.sync.key_rotation import KeysDoNotFit, RotationResult
from tests.integration.cli.test_commands import serve
from tests.support.commands import run
from tests.support.postgres import address_of, until_waiting_for_lock
from tests.support.sessions import as_owner
from tests.support.world import KEY, PausableTransport, World, config_for, opened_world

NEWER = new_key()


async def sealed_values(dsn: str) -> Mapping[str, list[str]]:
    """Return every secret that the database holds, by its column."""
    connection = await asyncpg.connect(dsn)
    try:
        return {
            f"{place.table.name}.{place.name}": [
                row[0]
                for row in await connection.fetch(
                    f"select {place.name} from {place.table.name} where {place.name} is not null"
                )
            ]
            for place in (*sealed_columns.SEALED_COLUMNS, sealed_columns.KEY_CHECK)
        }
    finally:
        await connection.close()


@pytest.fixture
async def two_logins(world: World) -> World:
    """Two connected logins, one being connected, and an erased person: two tokens, three verifiers, two keys."""
    await world.create_account()
    for user_id, clio_user in (("u_ann", 501), ("u_ben", 502)):
        assert "clio=connected" in await world.connect(user_id, clio_user)
    await world.start("u_cat")
    await world.settled()
    contact_id = (await world.contacts())["1002"]["id"]
    await world.api.delete(f"/v1/accounts/hp/contacts/{contact_id}")
    return world


def test_every_sealed_column_is_rotated():
    found = {f"{place.table.name}.{place.name}" for place in sealed_columns.SEALED_COLUMNS}
    assert found >= {"connections.sealed_tokens", "authorizations.sealed_verifier"}
    named = [c for t in tables.metadata.tables.values() for c in t.columns if "seal" in c.name]
    assert {*sealed_columns.SEALED_COLUMNS, sealed_columns.KEY_CHECK} == set(named)


async def test_after_a_rotation_everything_opens_without_the_old_key(
    two_logins: World, database: Database
):
    # F29, T6
    both, newest = TokenCipher([NEWER, KEY]), TokenCipher([NEWER])
    async with as_owner(database) as session:
        await sealed_columns.store_key_check(
            session, TokenCipher([KEY]).seal({}, row=key_rotation.CHECK_ROW)
        )
    assert await key_rotation.rotate_keys(database, both, now=now()) == RotationResult(renewed=7)
    assert await key_rotation.rotate_keys(database, both, now=now()) == RotationResult(current=7)
    await key_rotation.check_keys(database, newest)
    held = {
        place: values for place, values in (await sealed_values(two_logins.dsn)).items() if values
    }
    assert {"accounts.sealed_erasure_key", "connections.sealed_tokens"} <= set(held)
    for values in held.values():
        assert all(newest.can_open(value) for value in values)
        assert not any(TokenCipher([KEY]).can_open(value) for value in values)


async def test_a_service_with_only_the_new_key_continues_to_sync(dsn: str, simulator: Simulator):
    # F29
    async with opened_world(dsn, simulator, clock=False) as world, world:
        await world.create_account()
        await world.connect("u_ann", 501)
        await world.settled()
        database = world.app.state.services.database
        await key_rotation.rotate_keys(database, TokenCipher([NEWER, KEY]), now=now())
    clio_transport = PausableTransport(simulator)
    parts = Parts(clock=False, clio_transports={Region.US: clio_transport})
    app = create_app(config_for(dsn, encryption_keys=NEWER), address_of(dsn), parts)
    async with (
        app.router.lifespan_context(app),
        World(app, simulator, dsn, clio_transport) as world,
    ):
        made = await world.run("incremental")
    assert (made["status"], made["problems"]) == ("succeeded", [])
    assert made["clio"]["requests"] > 0


async def test_a_token_refreshed_during_a_rotation_is_not_lost(
    two_logins: World, database: Database, dsn: str
):
    # F12, F29: the row is locked during the refresh; the rotation waits and then seals the new token
    both = TokenCipher([NEWER, KEY])
    (first, *_) = await listed(database)
    refreshed = TokenCipher([KEY]).seal({"access_token": "refreshed"}, row="r")
    async with asyncio.TaskGroup() as group, as_owner(database) as session:
        await stored_tokens.lock_tokens(session, "hp", first)
        rotating = group.create_task(key_rotation.rotate_keys(database, both, now=now()))
        await until_waiting_for_lock(dsn, rotating)
        assert not rotating.done()
        await stored_tokens.store_tokens(session, "hp", first, refreshed)
    async with as_owner(database) as session:
        stored = await stored_tokens.read_tokens(session, "hp", first)
    assert stored is not None
    assert TokenCipher([NEWER]).open(stored, row="r") == {"access_token": "refreshed"}


async def listed(database: Database) -> list[str]:
    async with as_owner(database) as session:
        return [c.connection_id for c in await connections.list_connected(session, "hp")]


async def test_a_key_that_opens_no_secret_is_refused_at_the_start(database: Database):
    # F29
    await key_rotation.check_keys(database, TokenCipher([KEY]))
    await key_rotation.check_keys(database, TokenCipher([NEWER, KEY]))
    with pytest.raises(KeysDoNotFit):
        await key_rotation.check_keys(database, TokenCipher([NEWER]))


async def test_a_database_without_a_check_value_is_checked_by_its_secrets(
    two_logins: World, database: Database
):
    with pytest.raises(KeysDoNotFit):
        await key_rotation.check_keys(database, TokenCipher([NEWER]))
    await key_rotation.check_keys(database, TokenCipher([KEY]))


async def test_a_secret_that_no_key_opens_is_counted_and_left_unchanged(
    two_logins: World, database: Database
):
    (first, *_) = await listed(database)
    foreign = TokenCipher([new_key()]).seal({"access_token": "?"}, row="r")
    async with as_owner(database) as session:
        await stored_tokens.store_tokens(session, "hp", first, foreign)
    done = await key_rotation.rotate_keys(database, TokenCipher([NEWER, KEY]), now=now())
    assert (done.renewed, done.lost) == (6, 1)
    assert foreign in (await sealed_values(two_logins.dsn))["connections.sealed_tokens"]


def test_a_secret_that_is_sealed_again_still_belongs_to_its_row():
    # T6
    old, both = TokenCipher([KEY]), TokenCipher([NEWER, KEY])
    fresh = both.rotate(old.seal({"a": "b"}, row="one"))
    assert fresh is not None
    assert both.rotate(fresh) is None
    assert both.open(fresh, row="one") == {"a": "b"}
    with pytest.raises(DecryptionFailed):
        both.open(fresh, row="two")
    with pytest.raises(DecryptionFailed):
        TokenCipher([NEWER]).rotate(old.seal({"a": "b"}, row="one"))


def test_the_command_rotates_and_reports_a_wrong_key_in_one_line(dsn: str):
    # F29
    both = f"{NEWER},{KEY}"
    assert run("keys", "rotate", database_url=dsn, encryption_keys=KEY).returncode == 0
    refused = [
        "LEVITATE_CLIO_ENCRYPTION_KEYS: none of these keys decrypts the secrets in the database;"
        " add the key that encrypted them (no user needs to connect again)"
    ]
    assert serve(dsn, NEWER) == refused
    rotated = run("keys", "rotate", database_url=dsn, encryption_keys=both)
    assert rotated.returncode == 0
    assert rotated.stderr.splitlines() == [
        "0 secrets were encrypted with the newest key; 0 already were."
    ]
    assert serve(dsn, KEY) == refused
    again = run("keys", "rotate", database_url=dsn, encryption_keys=NEWER)
    assert again.returncode == 0


def test_results_of_two_parts_are_added():
    parts = RotationResult(1, 2, 3) + RotationResult(10, 20, 30)
    assert parts == RotationResult(renewed=11, current=22, lost=33)


async def swap_secrets(dsn: str) -> None:
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute(
            "update webhook_endpoints set sealed_secret = sealed_old_secret, sealed_old_secret = sealed_secret"
        )
    finally:
        await connection.close()


async def test_a_secret_that_was_moved_to_another_column_is_not_used_and_not_rotated(
    two_logins: World, database: Database
):
    # T6: an old secret of an endpoint must not become its present one again
    made = await two_logins.api.post(
        "/v1/webhook-endpoints",
        json={"url": "https://levitate.test/h", "events": ["*"], "description": ""},
    )
    endpoint_id = made.json()["id"]
    assert (
        await two_logins.api.post(f"/v1/webhook-endpoints/{endpoint_id}/rotate")
    ).status_code == 200
    services = two_logins.app.state.services
    async with as_owner(database) as session:
        assert len(await valid_secrets(session, services, endpoint_id)) == 2
    await swap_secrets(two_logins.dsn)
    async with as_owner(database) as session:
        with pytest.raises(DecryptionFailed, match="another column"):
            await valid_secrets(session, services, endpoint_id)
    done = await key_rotation.rotate_keys(database, TokenCipher([NEWER, KEY]), now=now())
    assert done.lost == 2
    await swap_secrets(two_logins.dsn)
    async with as_owner(database) as session:
        assert len(await valid_secrets(session, services, endpoint_id)) == 2, (
            "they are where they were"
        )
    with_newer = replace(services, cipher=TokenCipher([NEWER, KEY]))
    assert (await key_rotation.rotate_keys(database, with_newer.cipher, now=now())).renewed == 2
    async with as_owner(database) as session:
        assert len(await valid_secrets(session, with_newer, endpoint_id)) == 2


async def test_a_rotation_names_the_column_in_texts_of_the_release_before(
    two_logins: World, database: Database
):
    # T6
    made = await two_logins.api.post(
        "/v1/webhook-endpoints",
        json={"url": "https://levitate.test/h", "events": ["*"], "description": ""},
    )
    endpoint_id, cipher = made.json()["id"], TokenCipher([KEY])
    services = two_logins.app.state.services
    earlier = cipher.seal({"secret": "whsec_old"}, row=f"webhook_endpoints/{endpoint_id}")
    async with as_owner(database) as session:
        await session.execute(
            text("update webhook_endpoints set sealed_secret = :sealed"), {"sealed": earlier}
        )
        assert await valid_secrets(session, services, endpoint_id) == ["whsec_old"]
    assert (await key_rotation.rotate_keys(database, cipher, now=now())).renewed == 1
    async with as_owner(database) as session:
        assert await valid_secrets(session, services, endpoint_id) == ["whsec_old"]
        (stored,) = (
            await session.execute(text("select sealed_secret from webhook_endpoints"))
        ).scalars()
    with pytest.raises(DecryptionFailed, match="another column"):
        cipher.open(stored, row=f"webhook_endpoints/{endpoint_id}", column="sealed_old_secret")
