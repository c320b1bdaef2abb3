"""Requests that schemathesis generates from the OpenAPI document: no server error, only documented responses.

`SCHEMATHESIS_CASES` says how many requests are made, 400 by default; `make nightly` makes 10,000.
"""

import os
import re
import subprocess
import sys
from pathlib import Path

import httpx

from tests.chaos.processes import TOKEN, Stack, running_stack

CASES = int(os.environ.get("SCHEMATHESIS_CASES", "400"))  # noqa: TID251  # size of a test, not configuration
CHECKS = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance"
LEFT_OUT = (
    "/v1/accounts/{account_id}/runs/{run_id}/events",
    "/metrics",
)  # a stream; the format of Prometheus


def operations(document: dict[str, dict[str, dict[str, object]]]) -> int:
    return sum(len(methods) for path, methods in document["paths"].items() if path not in LEFT_OUT)


def generate(stack: Stack, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run schemathesis on the service; spread `CASES` requests over the operations."""
    address = f"{stack.service.url}/openapi.json"
    document = httpx.get(address, trust_env=False).json()
    each = -(-CASES // operations(document))
    command = [
        *(str(Path(sys.executable).with_name("schemathesis")), "run", address),
        *("--phases", "fuzzing", "--checks", CHECKS, "--max-examples", str(each)),
        *("--seed", "1", "--no-shrink", "--continue-on-failure", "--request-timeout", "60"),
        *("-H", f"Authorization: Bearer {TOKEN}", "-H", "Levitate-Role: success_manager"),
        *(part for path in LEFT_OUT for part in ("--exclude-path", path)),
    ]
    return subprocess.run(
        command, cwd=folder, capture_output=True, text=True, timeout=3600, check=False
    )


def test_generated_requests_get_documented_responses_and_never_a_server_error(
    tmp_path: Path, own_dsn: str
):
    # API-4, T9, T12
    with running_stack(tmp_path, own_dsn, contacts=50) as stack:
        ended = generate(stack, tmp_path)
    output = re.sub(r"\x1b\[[0-9;]*m", "", ended.stdout)
    assert ended.returncode == 0, output[-8000:]
    (made,) = re.findall(r"(\d+) generated", output)
    assert int(made) >= CASES / 2, output[-2000:]
