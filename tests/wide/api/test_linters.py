"""Spectral (its rules and OWASP's) and Redocly find nothing in the document; what is switched off has its reason."""

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[3]
LINTERS = Path(__file__).parent / "linters"
# No linter may call home.
QUIET = {"REDOCLY_TELEMETRY": "off", "REDOCLY_SUPPRESS_UPDATE_NOTICE": "true", "CI": "true"}


@pytest.fixture(scope="module")
def linters(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the linters, as the lock file has them, and the document."""
    folder = tmp_path_factory.mktemp("linters")
    for path in (*LINTERS.iterdir(), ROOT / "docs" / "openapi.json"):
        shutil.copy(path, folder)
    subprocess.run(
        ["npm", "ci", "--silent", "--no-audit", "--no-fund"], cwd=folder, check=True, timeout=300
    )
    return folder


def run(folder: Path, *command: str) -> Any:
    program = folder / "node_modules" / ".bin" / command[0]
    done = subprocess.run(
        [program, *command[1:]],
        cwd=folder,
        env={**os.environ, **QUIET},  # noqa: TID251  # npm needs the variables of the machine
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.stdout, done.stderr
    found, _ = json.JSONDecoder().raw_decode(done.stdout)  # Spectral adds a line of text
    return found


def test_spectral_finds_nothing(linters: Path):
    found = run(linters, "spectral", "lint", "openapi.json", "-r", "spectral.yaml", "-f", "json")
    assert [(one["code"], one["message"], one["path"]) for one in found] == []


def test_redocly_finds_nothing(linters: Path):
    found = run(
        linters, "redocly", "lint", "openapi.json", "--config", "redocly.yaml", "--format", "json"
    )
    assert found["totals"]["errors"] == found["totals"]["warnings"] == 0, found["problems"]
