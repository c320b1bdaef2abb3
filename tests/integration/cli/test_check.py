"""`levitate-clio check` says what is missing, what will not work without it, and whether `serve` can do its work."""

import asyncio
import os
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest
from typing_extensions import override

from app.crypto import new_key
from tests.support.commands import refusal, run
from tests.support.postgres import Server, address_of, database_of

READY = "the database responds, its schema is current, the keys decrypt its secrets"


class _Answer(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(302)
        self.end_headers()

    @override
    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def simulated_host() -> Iterator[str]:
    """The origin of a region: a server that answers every request."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _Answer) as server:
        thread = Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.fixture
def complete(dsn: str, simulated_host: str) -> dict[str, str]:
    """The variables with which nothing is missing."""
    address = address_of(dsn)
    urls = {
        "database_url": address.url,
        "system_database_url": address.system or "",
        "migrate_database_url": dsn,
    }
    return {
        **urls,
        "encryption_keys": new_key(),
        "public_url": "https://clio.levitate.test",
        "return_origins": "https://app.levitate.test",
        "service_token": "a token of 32 characters or more",
        "regions__us__client_id": "app",
        "regions__us__client_secret": "hush",
        "regions__us__origin": simulated_host,
    }


def check(**environment: str) -> tuple[int, list[str]]:
    ended = run("check", **environment)
    assert ended.stdout == ""
    return ended.returncode, ended.stderr.splitlines()


def test_with_everything_there_each_line_is_ok_or_a_region_that_is_not_served(complete):
    code, lines = check(**complete)
    assert code == 0
    assert {line.split()[0] for line in lines} == {"ok", "none"}
    assert f"ok      {READY}" in lines


@pytest.mark.parametrize(
    ("missing", "effect", "code"),
    [
        ("return_origins", "wrong   LEVITATE_CLIO_RETURN_ORIGINS is not set, so no user can connect", 1),
        ("service_token", "wrong   there is no token, so every call of the API is refused", 1),
        ("encryption_keys", "wrong   LEVITATE_CLIO_ENCRYPTION_KEYS: not set", 1),
        ("public_url", "warning LEVITATE_CLIO_PUBLIC_URL is not set (http://127.0.0.1:8000), without https: Clio's"
         " webhooks do not arrive", 0),
    ],
)  # fmt: skip
def test_it_says_what_will_not_work_and_exits_with_1_if_serve_needs_it(
    complete, missing: str, effect: str, code: int
):
    del complete[missing]
    found, lines = check(**complete)
    (line,) = [line for line in lines if line.split()[0] not in ("ok", "none")]
    assert line.startswith(effect)
    assert found == code


def test_a_stored_token_is_enough(complete):
    del complete["service_token"]
    urls = {name: value for name, value in complete.items() if name.endswith("database_url")}
    assert run("token", "create", "--name=backend", **urls).returncode == 0
    code, lines = check(**complete)
    assert (code, lines[-1]) == (0, "ok      there is a token for Levitate's backend")


def test_a_token_of_the_configuration_that_was_revoked_is_not_taken_for_one_that_works(complete):
    # T14
    urls = {name: value for name, value in complete.items() if name.endswith("database_url")}
    assert run("token", "revoke", "bootstrap", **urls).returncode == 0
    code, lines = check(**complete)
    assert code == 0
    assert lines[-1].startswith("warning LEVITATE_CLIO_SERVICE_TOKEN is set, but `token revoke")


@pytest.mark.parametrize("given", [{}, {"public_url": "http://localhost:8000"}])
def test_an_address_of_this_machine_is_wrong_beside_clios_own_host(complete, given):
    # nobody answers at the region's host in a test; it counts as Clio's, because it is not this machine
    del complete["public_url"]
    code, lines = check(**{**complete, "regions__us__origin": "https://clio.invalid"}, **given)
    assert code == 1
    (line,) = [line for line in lines if "PUBLIC_URL" in line]
    assert line.startswith("wrong   LEVITATE_CLIO_PUBLIC_URL is ")
    assert "Set it to the https address" in line
    (line,) = [line for line in lines if "region us" in line]
    assert line.startswith("wrong   region us: https://clio.invalid cannot be reached")


def test_a_pause_after_a_lost_answer_that_is_too_short_for_production_is_a_warning(complete):
    code, lines = check(**complete, settle_seconds="5")
    assert code == 0
    (line,) = [line for line in lines if line.startswith("warning")]
    assert "an activity may be written twice" in line


def test_a_database_that_is_away_is_wrong_and_all_else_is_still_reported(complete):
    complete["database_url"] = "postgresql://nobody@127.0.0.1:9/none"
    del complete["system_database_url"]
    del complete["return_origins"]
    code, lines = check(**complete)
    assert code == 1
    assert [line for line in lines if "RETURN_ORIGINS is not set" in line]
    assert lines[-1] == (
        "wrong   The database of LEVITATE_CLIO_DATABASE_URL is not available: it cannot be reached; check that it is"
        " running. Tokens were not looked for"
    )


def test_a_key_that_is_not_that_of_the_database_is_wrong(complete):
    assert run("keys", "rotate", **complete).returncode == 0
    complete["encryption_keys"] = new_key()
    code, lines = check(**complete)
    assert code == 1
    assert lines[-1].startswith(
        "wrong   LEVITATE_CLIO_ENCRYPTION_KEYS: none of these keys decrypts"
    )


def test_without_any_region_nobody_can_connect(own_dsn: str):
    code, lines = check(database_url=own_dsn, encryption_keys=new_key())
    assert code == 1
    assert lines[0].startswith("wrong   no region is configured, so no user can connect")
    assert lines[-1].startswith("wrong   The database's schema is missing or too old")


def test_it_says_which_users_keep_the_accounts_apart(complete):
    _, lines = check(**complete)
    assert (
        "ok      the database keeps accounts apart: levitate_run sees one at a time, levitate_system all"
        in lines
    )


@pytest.mark.parametrize("left", [("migrate_database_url",), ()])
def test_with_the_owner_of_the_tables_the_second_wall_is_off(complete, left: tuple[str, ...]):
    owner = complete["migrate_database_url"]
    for name in {"system_database_url", "migrate_database_url"} - set(left):
        del complete[name]
    complete["database_url"] = owner
    code, lines = check(**complete)
    assert code == 0
    (line,) = [line for line in lines if line.startswith("warning")]
    assert line.startswith("warning the second wall is off: ")
    for name in ("DATABASE_URL", "SYSTEM_DATABASE_URL", "MIGRATE_DATABASE_URL"):
        assert f"LEVITATE_CLIO_{name}" in line


SERVES, SYSTEM, OWNER = "database_url", "system_database_url", "migrate_database_url"
DIRECT = "direct_database_url"
POOLED = {"database_pooler": "transaction"}


@pytest.mark.parametrize(
    ("given", "fault"),
    [
        ({SYSTEM: ""}, "SYSTEM_DATABASE_URL: not set, and the user levitate_run sees only one"),
        ({SYSTEM: SERVES}, "SYSTEM_DATABASE_URL: the user levitate_run is also that of"),
        ({SYSTEM: OWNER}, "SYSTEM_DATABASE_URL: no policy stops the user postgres"),
        ({SERVES: OWNER}, "DATABASE_URL: no policy stops the user postgres"),
        ({SERVES: SYSTEM, SYSTEM: SERVES}, "DATABASE_URL: the user levitate_system has the role levitate_system"),
        ({SERVES: SYSTEM}, "SYSTEM_DATABASE_URL: the user levitate_system is also that of"),
        ({OWNER: SERVES}, "MIGRATE_DATABASE_URL: the user levitate_run does not own the table accounts"),
        ({DIRECT: OWNER}, "DIRECT_DATABASE_URL: no policy stops the user postgres"),
    ],
)  # fmt: skip
def test_an_address_with_the_user_of_another_one_is_wrong(
    complete, given: dict[str, str], fault: str
):
    chosen = {name: complete[of] for name, of in given.items() if of}
    complete = {name: value for name, value in complete.items() if name not in given} | chosen
    code, lines = check(**complete, **(POOLED if DIRECT in given else {}))
    assert code == 1
    first = next(line for line in lines if line.startswith("wrong"))
    assert first.startswith(f"wrong   LEVITATE_CLIO_{fault}")


@pytest.mark.parametrize("name", [SYSTEM, OWNER, DIRECT])
def test_an_address_of_another_database_is_wrong_although_it_is_ready(complete, own_dsn, name: str):
    # the keys decrypt its secrets too, so nothing else would notice it
    server, other = Server(own_dsn), f"levitate_other_{os.getpid()}"
    asyncio.run(server.execute(f"create database {other}"))
    try:
        migrated = {"database_url": server.address(other)}
        assert run("migrate", **migrated).returncode == 0
        elsewhere = database_of(complete.get(name, complete[SERVES]), other)
        given = {**complete, **(POOLED if name == DIRECT else {}), name: elsewhere}
        code, lines = check(**given)
        assert (code, lines[-1]) == (
            1,
            f"wrong   LEVITATE_CLIO_{name.upper()}: it is another database than that of LEVITATE_CLIO_DATABASE_URL;"
            " set both to the same database",
        )
        assert refusal("migrate", **given) == [lines[-1].removeprefix("wrong   ")]
    finally:
        asyncio.run(server.execute(f"drop database {other} with (force)"))


@pytest.mark.parametrize(
    ("rights", "fault"),
    [
        (["alter role {name} bypassrls"], "no policy stops the user {name}"),
        (["alter role {name} createrole"], "no policy stops the user {name}"),
        (["grant pg_read_all_data to {name}"], "no policy stops the user {name}"),
        (["grant {owner} to {name}"], "no policy stops the user {name}"),
        (["alter role {name} noinherit", "grant {owner} to {name}"], "no policy stops the user {name}"),
        (["grant levitate_system to {name}"], "the user {name} has the role levitate_system"),
        (["alter role {name} noinherit"], "the user {name} does not inherit the rights of the role levitate_run"),
    ],
)  # fmt: skip
def test_a_user_who_may_see_more_than_one_account_or_none_does_not_serve(
    complete, rights: list[str], fault: str
):
    # on PostgreSQL 16 and later `noinherit` counts for memberships that are granted after it
    names = {"name": f"levitate_mighty_{os.getpid()}", "owner": f"levitate_owner_{os.getpid()}"}
    server = Server(complete[OWNER])
    made = ["create role {owner}", "alter table contacts owner to {owner}"]
    made += ["create role {name} login password 'x'", *rights, "grant levitate_run to {name}"]
    asyncio.run(server.execute(*(statement.format(**names) for statement in made)))
    try:
        url = complete[SERVES].replace("levitate_run:levitate_run", "{name}:x".format(**names))
        code, lines = check(**{**complete, SERVES: url})
        assert code == 1
        wrong = f"wrong   LEVITATE_CLIO_DATABASE_URL: {fault.format(**names)}"
        assert any(line.startswith(wrong) for line in lines), lines
    finally:
        left = [
            "alter table contacts owner to current_user",
            "drop role {name}",
            "drop role {owner}",
        ]
        asyncio.run(server.execute(*(statement.format(**names) for statement in left)))


def test_on_an_empty_database_the_address_of_the_owner_is_asked_for(own_dsn: str):
    # `serve` waited for ever, because a right that is missing may come back
    address = address_of(own_dsn)
    urls = {SERVES: address.url, SYSTEM: address.system or ""}
    line = (
        "LEVITATE_CLIO_DATABASE_URL: the user levitate_run may not create tables in the schema public;"
        " set LEVITATE_CLIO_MIGRATE_DATABASE_URL to the address of the user who owns the database"
    )
    assert refusal("migrate", **urls) == [line]
    assert refusal("serve", "--port=0", **urls, encryption_keys=new_key()) == [line]


def test_serve_needs_no_address_of_the_owner_while_there_is_nothing_to_migrate(complete):
    del complete[OWNER]
    code, lines = check(**complete)
    assert code == 0, lines


def test_a_right_that_is_missing_is_wrong(complete):
    asyncio.run(
        Server(complete[OWNER]).execute("revoke select on service_tokens from levitate_system")
    )
    code, lines = check(**complete)
    assert code == 1
    assert lines[-1].startswith(
        "wrong   The rights or policies of the database are not those of this version (levitate_system may not select"
        " service_tokens); run `levitate-clio migrate`"
    )


def test_a_user_that_has_no_role_learns_what_to_grant_and_then_works(complete):
    name = f"levitate_nobody_{os.getpid()}"
    server = Server(complete["migrate_database_url"])
    asyncio.run(server.execute(f"create role {name} login password 'x'"))
    try:
        url = complete["database_url"].replace("levitate_run:levitate_run", f"{name}:x")
        code, lines = check(**{**complete, "database_url": url})
        grant = f'grant levitate_run to "{name}"'
        line = f"wrong   LEVITATE_CLIO_DATABASE_URL: the user {name} lacks the role levitate_run; run `{grant}`"
        assert (code, lines[-1].startswith(line)) == (1, True), lines
        asyncio.run(server.execute(grant))
        code, lines = check(**{**complete, "database_url": url})
        assert code == 0, lines
        assert any(f"keeps accounts apart: {name} sees one at a time" in line for line in lines)
    finally:
        asyncio.run(server.execute(f"drop role {name}"))


@pytest.mark.parametrize("name", ["system_database_url", "migrate_database_url"])
def test_an_address_of_a_role_that_does_not_work_is_named(complete, name: str):
    away = {**complete, name: "postgresql://nobody@127.0.0.1:9/none"}
    line = f"The database of LEVITATE_CLIO_{name.upper()} is not available: it cannot be reached; check that it is"
    if name == "system_database_url":
        assert check(**away)[1][-1].startswith(f"wrong   {line}")
    assert refusal("migrate", **{k: v for k, v in away.items() if k.endswith("url")}) == [
        f"{line} running"
    ]


def test_a_table_that_is_missing_is_not_taken_for_a_server_that_is_away(complete):
    asyncio.run(Server(complete[OWNER]).execute("drop table hold_items cascade"))
    code, lines = check(**complete)
    assert (code, "hold_items" in lines[-1]) == (1, True), lines
    assert refusal("migrate", **{k: v for k, v in complete.items() if k.endswith("url")}) == [
        "The database of LEVITATE_CLIO_MIGRATE_DATABASE_URL is not available: it lacks a table or a column of this"
        " version; check the name of the database, and restore what is missing"
    ]


def test_with_one_user_the_direct_address_needs_its_role_too(complete):
    given = {**complete, SERVES: complete[OWNER], DIRECT: complete[SYSTEM], **POOLED}
    for name in (SYSTEM, OWNER):
        del given[name]
    code, lines = check(**given)
    assert code == 1
    assert lines[-1].startswith(
        "wrong   LEVITATE_CLIO_DIRECT_DATABASE_URL: the user levitate_system has the role levitate_system"
    )
