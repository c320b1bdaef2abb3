"""docs/security/cryptography.md names each module that uses cryptography, and where each secret is stored [T6]."""

import ast
import re
from pathlib import Path

import pytest

from app.db import tables
from tests.unit.repository.test_code_rules import ROOT, name_of
from tests.unit.repository.test_security_rules import SERVICE

PAGE = (ROOT / "docs" / "security" / "cryptography.md").read_text()
LIBRARIES = {
    "authlib", "cryptography", "hashlib", "hmac", "secrets", "ssl", "standardwebhooks",
}  # fmt: skip


def section(title: str) -> str:
    return PAGE.split(f"\n## {title}\n")[1].split("\n## ")[0]


def uses_cryptography(tree: ast.AST) -> bool:
    """Return whether a module imports one of the libraries, anywhere in it."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [one.name for one in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [node.module or ""]
        else:
            continue
        if LIBRARIES & {name.partition(".")[0] for name in names}:
            return True
    return False


def test_the_page_names_each_module_that_uses_cryptography_and_no_other():
    # ASVS V11.1.2
    first_cells = [row.split(" | ")[0] for row in section("Modules").splitlines()]
    named = re.findall(r"`(app/[\w/.]+)`", "\n".join(first_cells))
    using = [name_of(path) for path in SERVICE if uses_cryptography(ast.parse(path.read_text()))]
    assert sorted(named) == sorted(using)


def test_the_page_names_each_column_that_is_sealed_and_each_table_with_hashed_secrets():
    # ASVS V11.1.1
    kept = section("Keys and secrets")
    sealed = {
        f"{table.name}.{column.name}"
        for table in tables.metadata.tables.values()
        for column in table.columns
        if column.name.startswith("sealed_")
    }
    assert set(re.findall(r"`(\w+\.sealed_\w+)`", kept)) == sealed
    hashed = {
        table.name
        for table in tables.metadata.tables.values()
        if {*table.columns.keys()} & {"secret_hash", "state_hash", "token_hash", "cookie_hash"}
    }
    assert set(re.findall(r"hashed in `(\w+)`", kept)) == hashed


def test_each_key_has_a_purpose_a_place_a_change_and_an_end():
    # ASVS V11.1.1
    rows = [
        row.strip("| ").split(" | ")
        for row in section("Keys and secrets").splitlines()
        if row.startswith("|")
    ]
    assert len(rows) > 12
    assert all(len(row) == 5 and all(row) for row in rows)


@pytest.mark.parametrize(
    ("code", "is_noticed"),
    [
        ("import hashlib", True),
        ("from cryptography.fernet import Fernet", True),
        ("def act():\n    import ssl", True),
        ("import secrets as s", True),
        ("from app import crypto", False),
        ("import json", False),
    ],
)
def test_the_check_of_modules_notices_each_import(code: str, is_noticed: bool):
    assert uses_cryptography(ast.parse(code)) is is_noticed


def test_the_page_is_linked_from_where_people_look():
    for page in ("docs/security/threat-model.md", "docs/architecture.md", "SECURITY.md"):
        assert "cryptography.md" in Path(ROOT / page).read_text(), page
        assert page == "docs/architecture.md" or "asvs.csv" in Path(ROOT / page).read_text(), page
