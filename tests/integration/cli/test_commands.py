"""Tests of the commands as an operator uses them. Each mistake is reported in one line that says what to do."""

import asyncio
import json
import os
import re
import socket
import subprocess
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from subprocess import CompletedProcess

import asyncpg
import pytest
from sqlalchemy import text

from app.cli.startup import load_or_create_key
from app.crypto import TokenCipher, new_key, split_service_token
from app.db.accounts import service_tokens
from app.db.session import Session
from app.sync import background, supervisor
from tests.support.commands import refusal, run, run_process
from tests.support.postgres import database_of

ROOT = Path(__file__).parents[3]


@pytest.fixture
def missing_dsn() -> str:
    """Return the address of a database that does not exist."""
    return "postgresql://nobody@127.0.0.1:9/none"


@pytest.mark.parametrize("run_command", [run, run_process], ids=["in this process", "as a process"])
def test_a_wrong_configuration_is_reported_in_one_line_each(
    run_command: Callable[..., CompletedProcess[str]],
):
    ended = run_command("serve", slots="late", public_url="nowhere")
    assert ended.returncode == 2
    assert sorted(ended.stderr.splitlines()) == [
        "LEVITATE_CLIO_PUBLIC_URL: must be an origin such as https://app.example.com, with no path",
        "LEVITATE_CLIO_SLOTS: must be a comma-separated list of HH:MM such as 06:00,18:00",
    ]


def test_a_busy_port_is_reported_in_one_line(missing_dsn: str):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        ended = run("serve", f"--port={port}", database_url=missing_dsn, encryption_keys=new_key())
    assert ended.returncode == 2
    assert ended.stderr.splitlines() == [
        f"Cannot listen on 127.0.0.1:{port} (Address already in use); choose another port with --port"
    ]


def serve(dsn: str, key: str | None = None, *options: str) -> list[str]:
    """Return the lines that `serve` prints when it refuses to start."""
    keys = key or new_key()
    return refusal("serve", "--port=0", *options, database_url=dsn, encryption_keys=keys)


def sql(dsn: str, *statements: str) -> list[asyncpg.Record]:
    """Execute statements on a database and return the rows of the last one."""

    async def act() -> list[asyncpg.Record]:
        connection = await asyncpg.connect(dsn)
        try:
            return [await connection.fetch(statement) for statement in statements][-1]
        finally:
            await connection.close()

    return asyncio.run(act())


UNAVAILABLE = "The database of LEVITATE_CLIO_DATABASE_URL is not available: "


def test_a_database_that_is_down_is_reported_in_one_line(missing_dsn: str):
    # `serve` and `worker` wait for it: see tests/integration/test_background.py
    assert refusal("migrate", database_url=missing_dsn) == [
        UNAVAILABLE + "it cannot be reached; check that it is running"
    ]


def test_a_database_that_does_not_exist_is_reported_in_one_line(own_dsn: str):
    wanted = database_of(own_dsn, "never_created")
    assert serve(wanted) == [UNAVAILABLE + "it has no database with that name; create it"]


def test_behind_a_pooler_the_direct_address_is_checked_too(own_dsn: str, missing_dsn: str):
    pooled = {"database_url": own_dsn, "database_pooler": "transaction"}
    wanted = database_of(own_dsn, "never_created")
    unavailable = UNAVAILABLE.replace("DATABASE", "DIRECT_DATABASE")
    assert refusal("migrate", **pooled, direct_database_url=missing_dsn) == [
        unavailable + "it cannot be reached; check that it is running"
    ]
    keys = new_key()
    assert refusal(
        "serve", "--port=0", **pooled, direct_database_url=wanted, encryption_keys=keys
    ) == [unavailable + "it has no database with that name; create it"]


def test_an_unknown_user_is_reported_in_one_line(own_dsn: str):
    head, _, tail = own_dsn.partition("://")
    stranger = f"{head}://stranger:wrong@{tail.rpartition('@')[2]}"
    assert serve(stranger) == [
        UNAVAILABLE
        + "it refuses the user, the password, or a connection without TLS; correct them, or sslmode, in the address"
    ]


def test_a_postgresql_that_is_too_old_is_reported_in_one_line(own_dsn: str):
    name = own_dsn.partition("?")[0].rsplit("/", 1)[1]
    sql(
        own_dsn,
        "create function current_setting(text) returns text language sql as $$ select '140012' $$",
        f"alter database {name} set search_path = public, pg_catalog",
    )
    assert serve(own_dsn) == ["The database is PostgreSQL 14; levitate-clio needs 15 or newer"]


@pytest.mark.parametrize("command", ["worker", "token list", "keys rotate", "serve --no-migrate"])
def test_a_database_without_a_schema_is_reported_in_one_line(own_dsn: str, command: str):
    assert refusal(*command.split(), database_url=own_dsn, encryption_keys=new_key()) == [
        "The database's schema is missing or too old; run `levitate-clio migrate`"
    ]


@pytest.mark.parametrize("command", ["serve", "migrate"])
def test_a_schema_that_is_too_new_is_reported_in_one_line(own_dsn: str, command: str):
    assert run("migrate", database_url=own_dsn).returncode == 0
    sql(
        own_dsn,
        "update alembic_version set version_num = '9999'",
        "update schema_compatibility set oldest_revision = '9998'",
    )
    assert refusal(command, database_url=own_dsn, encryption_keys=new_key()) == [
        "The database's schema belongs to a newer levitate-clio; start that version or a newer one"
    ]


def test_a_data_folder_that_cannot_be_written_is_reported_in_one_line(tmp_path: Path):
    (tmp_path / "file").write_text("")
    folder = str(tmp_path / "file" / "data")
    assert refusal("serve", "--port=0", data_dir=folder) == [
        f"LEVITATE_CLIO_DATA_DIR: {folder} is not writable (Not a directory);"
        " set it to a folder that this user may write"
    ]


@pytest.mark.parametrize(
    ("variable", "value", "line"),
    [
        (
            "regions__us__origin",
            "http://clio.example",
            "LEVITATE_CLIO_REGIONS__US__ORIGIN: must begin with https://"
            " (plain http only for 127.0.0.1, ::1 or localhost)",
        ),
        (
            "database_url",
            "postgresql://me@host:port/name",
            "LEVITATE_CLIO_DATABASE_URL: must be postgresql://user:password@host:port/database",
        ),
    ],
    ids=["origin without TLS", "invalid port"],
)
def test_a_wrong_value_is_reported_in_one_line(variable: str, value: str, line: str):
    region = {"regions__us__client_id": "app", "regions__us__client_secret": "hush"}
    assert refusal("serve", "--port=0", **{**region, variable: value}) == [line]


@pytest.mark.parametrize("command", ["serve --port=0", "check", "worker", "token list"])
@pytest.mark.parametrize("name", ["regions__us__orign", "regions__xx__client_id", "regions"])
def test_an_unknown_variable_of_a_region_is_refused(command: str, name: str):
    # a check went silently to Clio's own host
    region = {"regions__us__client_id": "app", "regions__us__client_secret": "hush"}
    assert refusal(*command.split(), **region, **{name: "http://127.0.0.1:9"}) == [
        f"LEVITATE_CLIO_{name.upper()}: unknown variable; those of a region are"
        " LEVITATE_CLIO_REGIONS__US__CLIENT_ID, …__CLIENT_SECRET and …__ORIGIN, likewise with EU, CA and AU"
    ]


def test_another_unknown_variable_is_reported_and_the_command_goes_on(missing_dsn: str):
    first, second = refusal("token", "list", database_url=missing_dsn, slot="06:00")
    assert first == "LEVITATE_CLIO_SLOT: unknown variable; docs/operations.md lists all variables"
    assert second.startswith(UNAVAILABLE)


@pytest.mark.parametrize(
    ("option", "fault"),
    [
        ("sslmode=maybe", "`sslmode` must be one of disable, allow, prefer, require, verify-ca, verify-full"),
        ("no_such_setting=1", "`no_such_setting` cannot be used; docs/operations.md lists the options that work"),
        ("port=x", "`port` must be a number"),
        ("sslrootcert=/nowhere", "`sslrootcert`: its file cannot be read (No such file or directory); name one that"
         " this user can read"),
    ],
)  # fmt: skip
def test_an_option_of_an_address_that_cannot_be_used_is_named_in_one_line(
    missing_dsn: str, option: str, fault: str
):
    wrong = f"{missing_dsn}{'&' if '?' in missing_dsn else '?'}{option}"
    line = f"LEVITATE_CLIO_DATABASE_URL: {fault}"
    for command in ("migrate", "token list"):
        assert refusal(*command.split(), database_url=wrong) == [line]
    assert serve(wrong) == [line]
    pooled = {"database_url": missing_dsn, "database_pooler": "transaction"}
    for name in ("system_database_url", "migrate_database_url", "direct_database_url"):
        more = {name: wrong} | (pooled if name.startswith("direct") else {})
        line = f"LEVITATE_CLIO_{name.upper()}: {fault}"
        assert refusal("migrate", **{"database_url": missing_dsn, **more}) == [line]


@pytest.mark.parametrize(
    "setting", ["no_such_setting%3D1", "max_connections%3D5", "work_mem%3Dmuch"]
)
def test_a_setting_of_the_address_that_the_server_refuses_is_reported_in_one_line(
    own_dsn: str, setting: str
):
    address = f"{own_dsn}{'&' if '?' in own_dsn else '?'}options=-c%20{setting}"
    line = UNAVAILABLE + (
        "its address cannot be used: sslmode=verify-full without sslrootcert, or a setting in options that it refuses"
    )
    for command in ("migrate", "token list"):
        assert refusal(*command.split(), database_url=address) == [line]
    assert serve(address) == [line]


def test_an_unknown_host_is_reported_in_one_line(missing_dsn: str):
    (line,) = serve(missing_dsn, None, "--host=nowhere.invalid")
    assert line.startswith("nowhere.invalid is not an address to listen on")


@pytest.mark.parametrize(
    "command",
    ["serve --port=0", "worker", "keys rotate", "check", "migrate", "--help", "keys --help"],
)
def test_a_missing_key_is_reported_and_no_command_prints_a_key(missing_dsn: str, command: str):
    # T6: what is printed ends in the log of an orchestrator
    ended = run(*command.split(), database_url=missing_dsn)
    if command.split()[0] in ("serve", "worker", "keys") and "--help" not in command:
        assert ended.returncode == 2
        assert ended.stderr.startswith("LEVITATE_CLIO_ENCRYPTION_KEYS: not set; make a key with")
    assert not re.search(r"[\w-]{43}=", ended.stderr + ended.stdout)


def test_the_way_to_a_key_that_is_shown_makes_one_that_works_and_only_its_owner_may_read_it(
    missing_dsn: str, tmp_path: Path
):
    shown = run("serve", "--port=0", database_url=missing_dsn).stderr
    (command,) = re.findall(r"`(.+?)`", shown)
    assert f"`{command}`" in (ROOT / "docs/operations.md").read_text()
    made = subprocess.run(["sh", "-c", command], cwd=tmp_path, capture_output=True, text=True)
    assert (made.returncode, made.stdout) == (0, "")
    path = tmp_path / "encryption.key"
    assert path.stat().st_mode & 0o777 == 0o600
    TokenCipher([path.read_text().strip()])


def test_a_token_is_printed_alone_on_stdout_and_can_be_listed_and_revoked(dsn: str):
    made = run("token", "create", "--name=backend", "--account=hp", database_url=dsn)
    assert made.returncode == 0
    (token,) = made.stdout.splitlines()
    parts = split_service_token(token)
    assert parts is not None
    assert parts[0] in run("token", "list", database_url=dsn).stdout
    sql(
        dsn,
        "insert into webhook_endpoints (endpoint_id, token_id, url, kinds, description, enabled, sealed_secret,"
        f" created_at, updated_at) values ('whe', '{parts[0]}', 'https://x.test', '{{*}}', '', true, '', now(), now())",
    )
    ended = run("token", "revoke", parts[0], database_url=dsn)
    assert ended.returncode == 0
    assert "Webhook endpoints that it made: 1. They get no events any more" in ended.stderr
    again = run("token", "revoke", parts[0], database_url=dsn)
    assert again.returncode == 2
    assert again.stderr.startswith(f"There is no valid token {parts[0]}")


def test_a_token_has_a_scope_and_an_end_and_the_list_shows_them(dsn: str):
    # T14
    made = run(
        *("token", "create", "--name=reports", "--scope=read", "--expires=90"), database_url=dsn
    )
    assert "scope read, until " in made.stderr
    ((token_id, scope, days),) = sql(
        dsn, "select token_id, scope, expires_at - created_at from service_tokens"
    )
    assert (scope, days) == ("read", timedelta(days=90))
    listed = run("token", "list", database_url=dsn).stdout
    assert token_id in listed
    assert "read" in listed
    (row,) = [line for line in listed.splitlines() if token_id in line]
    assert "…" not in row
    assert len(re.findall(r"\d{4}-\d\d-\d\dT\d\d:\d\d\+00:00", row)) == 2, (
        "created and expires, not cut off"
    )
    for wrong in ("--scope=all", "--expires=0"):
        assert run("token", "create", "--name=x", wrong, database_url=dsn).returncode == 2


def test_the_token_of_the_configuration_is_revoked_once_and_for_ever(dsn: str):
    # T14
    done = run("token", "revoke", "bootstrap", database_url=dsn)
    assert done.returncode == 0
    assert "No token of LEVITATE_CLIO_SERVICE_TOKEN is accepted any more" in done.stderr
    assert run("token", "revoke", "bootstrap", database_url=dsn).returncode == 2


@pytest.mark.parametrize("command", ["serve --port=0", "check"])
def test_a_short_token_of_the_configuration_is_refused_in_one_line(command: str):
    # T14
    (line,) = refusal(*command.split(), service_token="x" * 31)
    assert line.startswith(
        "LEVITATE_CLIO_SERVICE_TOKEN: has fewer than 32 characters; set a longer"
    )
    assert "x" * 31 not in line


def test_what_an_operator_does_with_tokens_and_keys_is_in_the_audit_log_of_the_service(
    dsn: str,
):
    # T14
    old, new = new_key(), new_key()
    assert run("token", "create", "--name=a", "--account=hp", database_url=dsn).returncode == 0
    ((token_id,),) = sql(dsn, "select token_id from service_tokens")
    assert run("token", "revoke", token_id, database_url=dsn).returncode == 0
    keys = f"{new},{old}"
    assert run("keys", "rotate", database_url=dsn, encryption_keys=keys).returncode == 0
    entries = sql(dsn, "select action, subject, role, details from service_audit order by at")
    assert [tuple(entry)[:3] for entry in entries] == [
        ("token.created", token_id, "operator"),
        ("token.revoked", token_id, "operator"),
        ("keys.rotated", None, "operator"),
    ]
    created, _, rotated = [json.loads(entry["details"]) for entry in entries]
    assert created == {"account_ids": ["hp"], "scope": "admin", "expires_at": None}
    assert rotated.keys() == {"renewed", "current", "lost"}


def test_a_defect_of_a_command_is_logged_without_its_text(
    dsn: str, monkeypatch: pytest.MonkeyPatch
):
    # T9: Python would print the statement and the values
    canary = "alice@home.test"

    async def fail(session: Session) -> None:
        await session.execute(text("select cast(:value as integer)"), {"value": canary})

    monkeypatch.setattr(service_tokens, "list_tokens", fail)
    ended = run("token", "list", database_url=dsn)
    assert ended.returncode == os.EX_SOFTWARE
    (line,) = ended.stderr.splitlines()
    logged = json.loads(line)
    assert logged["event"] == "exception_not_caught"
    assert "DBAPIError" in logged["error"]
    assert canary not in line
    assert "select cast" not in line


def test_the_key_of_the_embedded_database_is_created_once_and_only_its_owner_may_read_it(
    tmp_path: Path,
):
    path = tmp_path / "data" / "encryption.key"
    first = load_or_create_key(path)
    assert load_or_create_key(path) == first
    assert path.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("content", [b"", b"\xff\xfe", b"short"])
def test_a_damaged_key_file_is_reported_in_one_line(tmp_path: Path, content: bytes):
    (tmp_path / "encryption.key").write_bytes(content)
    (line,) = refusal("serve", "--port=0", data_dir=str(tmp_path))
    assert line.startswith(f"{tmp_path}/encryption.key: ")
    assert "must" in line


@pytest.mark.parametrize("command", ["worker", "serve"])
def test_a_process_whose_part_keeps_failing_ends_with_code_70(
    dsn: str, command: str, monkeypatch: pytest.MonkeyPatch
):
    # an orchestrator starts it again
    async def fail(*_: object) -> None:
        raise LookupError("a defect")

    monkeypatch.setattr(background, "run_scheduler", fail)
    monkeypatch.setattr(supervisor, "FIRST_DELAY", 0.0)
    options = ["--port=0"] if command == "serve" else []
    ended = run(command, *options, database_url=dsn, encryption_keys=new_key(), worker_port="0")
    assert ended.returncode == os.EX_SOFTWARE
    (line,) = [line for line in ended.stderr.splitlines() if "process_ends" in line]
    assert "clock failed 10 times in ten minutes" in line
