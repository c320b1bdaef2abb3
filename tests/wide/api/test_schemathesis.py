"""Requests that schemathesis generates from the OpenAPI document: no server error, only documented responses.

Two tenants send them: what one of them may read, the other one must not get, whatever ids it sends [T2].
`SCHEMATHESIS_CASES` says how many requests two tenants make, 1,000 by default; `make nightly` makes 10,000. One caller
with all rights makes a quarter as many, whose responses are compared with the document.
"""

import asyncio
import json
import os
import re
import subprocess
import sys
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import httpx

from app.crypto import new_service_token
from app.db.accounts import service_tokens
from app.db.accounts.service_tokens import ServiceToken
from app.db.session import open_database
from tests.chaos.processes import TOKEN, Stack, running_stack
from tests.support.postgres import address_of
from tests.support.sessions import as_owner
from tests.support.waiting import wait_until

CASES = int(os.environ.get("SCHEMATHESIS_CASES", "1000"))  # noqa: TID251  # size of a test, not configuration
CHECKS = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance"
TENANTS = ("alpha", "beta")  # two accounts with a token each
LEFT_OUT = (
    "/v1/accounts/{account_id}/runs/{run_id}/events",
    "/metrics",
)  # a stream; the format of Prometheus


def operations(document: dict[str, dict[str, dict[str, object]]]) -> int:
    return sum(len(methods) for path, methods in document["paths"].items() if path not in LEFT_OUT)


def generate(stack: Stack, folder: Path, cases: int, *options: str) -> tuple[str, int]:
    """Run schemathesis on the service; return its output and the number of requests.

    So many requests are spread over the operations.
    """
    address = f"{stack.service.url}/openapi.json"
    document = httpx.get(address, trust_env=False).json()
    each = -(-cases // operations(document))
    command = [
        *(str(Path(sys.executable).with_name("schemathesis")), "run", address),
        *("--max-examples", str(each), "--seed", "1", "--no-shrink", "--continue-on-failure"),
        *("--request-timeout", "60", "-H", "Levitate-Role: success_manager", *options),
        *(part for path in LEFT_OUT for part in ("--exclude-path", path)),
    ]
    ended = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, timeout=3600, check=False
    )
    output = re.sub(r"\x1b\[[0-9;]*m", "", ended.stdout)
    assert ended.returncode == 0, output[-8000:]
    (made,) = re.findall(r"(\d+) generated", output)
    return output, int(made)


def test_generated_requests_get_documented_responses_and_never_a_server_error(
    tmp_path: Path, dsn: str
):
    # API-4, T9, T12
    with running_stack(tmp_path, dsn, contacts=50) as stack:
        options = (
            "--phases",
            "fuzzing",
            "--checks",
            CHECKS,
            "-H",
            f"Authorization: Bearer {TOKEN}",
        )
        output, made = generate(stack, tmp_path, CASES // 4, *options)
    assert made >= CASES / 8, output[-2000:]


async def add_token(dsn: str, account_id: str) -> str:
    token, token_id, secret_hash = new_service_token()
    now = datetime.now(UTC)  # noqa: TID251  # the service's clock is that of the machine, too
    database = open_database(address_of(dsn))
    try:
        async with as_owner(database) as session:
            made = ServiceToken(token_id, account_id, secret_hash, (account_id,), now, None)
            await service_tokens.add_token(session, made)
    finally:
        await database.dispose()
    return token


def is_known(stack: Stack, account_id: str, token: str) -> bool:
    url = f"{stack.service.url}/v1/accounts/{account_id}"
    answer = httpx.get(url, headers={"Authorization": f"Bearer {token}"}, trust_env=False)
    return answer.is_success


def test_generated_requests_of_a_tenant_never_get_what_another_one_owns(tmp_path: Path, dsn: str):
    # T2, OWASP API1
    with running_stack(tmp_path, dsn, contacts=50) as stack:
        for account_id in TENANTS:
            stack.connect(account_id)
        tokens = {name: asyncio.run(add_token(dsn, name)) for name in TENANTS}
        for name, token in tokens.items():
            stack.wait_for_runs(name)
            wait_until(partial(is_known, stack, name, token), "the token is known")
        entries = [
            {
                "name": name,
                "fixedHeaders": [{"name": "Authorization", "value": f"Bearer {token}"}],
            }
            for name, token in tokens.items()
        ]
        (tmp_path / "auth.json").write_text(json.dumps({"auth": entries}))
        (tmp_path / "schemathesis.toml").write_text(
            f'[auth.wfc]\npath = "auth.json"\npeers = {json.dumps(list(TENANTS))}\n'
        )
        options = (
            *(
                "--phases",
                "fuzzing,stateful",
                "--checks",
                "not_a_server_error,object_level_authorization",
            ),
            *("--exclude-method", "DELETE"),
        )
        output, made = generate(stack, tmp_path, CASES, *options)
    assert made >= CASES / 2, output[-2000:]
