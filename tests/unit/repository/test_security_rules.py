"""Rules of the code that keep secrets and statements safe: each finds every place of its kind [T7, T11, T14]."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.db import tables
from tests.unit.repository.test_code_rules import APP, name_of

SERVICE = [path for path in APP if not name_of(path).startswith(("app/simulator/", "app/demo/"))]
SECRET = re.compile(
    r"(^|_)(token|secret|signature|mac|hmac|password|hash|hashed|verifier)s?$",
    re.IGNORECASE,
)
OWN = "both are tokens of ours: no caller gives one"
# Places where a name like one of these is compared and is no secret: file, expression, reason.
NO_SECRET = {
    ("app/db/connections/clio_subscriptions.py", "row.keyed_token_hash == row.token_hash"): "two columns of one row",
    ("app/sync/connections/clio_webhooks.py", "hash_secret(url.rpartition('/')[2]) == one.last_token_hash"):
        "hashes, and Clio's own list of our subscriptions",
    ("app/sync/connections/tokens.py", "tokens.access_token != refused"): OWN,
    ("app/sync/connections/tokens.py", "tokens.access_token == refused"): OWN,
    ("app/sync/connections/tokens.py", "open_tokens(cipher, login, stored) == old"): OWN,
}  # fmt: skip
PARTS = "constants of this module"
# Statements that are put together: the file and the function, and why nothing of a caller gets into the text.
PUT_TOGETHER = {
    ("app/db/accounts/deletion.py", "_delete_some"): "names of our tables",
    ("app/db/events/turns.py", "_wake_statement"): PARTS,
    ("app/db/lost_work.py", "list_accounts_with_lost_runs"): PARTS,
    ("app/db/lost_work.py", "list_accounts_with_lost_writes"): PARTS,
    ("app/db/retention.py", "_oldest"): "names of our tables and columns",
    ("app/db/rights_check.py", "create_roles"): "names of our roles",
    ("app/db/runs/listed_ids.py", "delete_ended"): "names of our tables",
    ("app/db/runs/lookups.py", "count_missing"): PARTS,
    ("app/db/runs/lookups.py", "add_missing"): PARTS,
}
SENDING = {
    "text",
    "execute",
    "exec_driver_sql",
    "fetch",
    "fetchval",
    "fetchrow",
    "executemany",
    "DDL",
    "literal_column",
}


def is_secret(node: ast.expr) -> bool:
    """Return whether an expression has the name of a secret; a SQL column has not the value."""
    if isinstance(node, ast.Attribute):
        is_column = isinstance(node.value, ast.Attribute) and node.value.attr in ("c", "columns")
        return not is_column and bool(SECRET.search(node.attr))
    if isinstance(node, ast.Call):
        return is_secret(node.func)
    return isinstance(node, ast.Name) and bool(SECRET.search(node.id))


def compared_secrets(tree: ast.AST) -> Iterator[ast.Compare]:
    """Yield every `==` and `!=` of something that is named like a secret with a value that is not fixed."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Compare):
            sides = [node.left, *node.comparators]
            columns = any(".c." in ast.unparse(side) for side in sides)
            fixed = any(isinstance(side, ast.Constant) for side in sides)
            equal = any(isinstance(op, ast.Eq | ast.NotEq) for op in node.ops)
            if equal and not fixed and not columns and any(map(is_secret, sides)):
                yield node


def put_together(tree: ast.AST) -> Iterator[tuple[str, int]]:
    """Yield function and line of every statement that a function makes of parts.

    What a module puts together when it is imported has nothing of a caller in it.
    """
    for function, node in _calls(tree, ""):
        name = node.func.attr if isinstance(node.func, ast.Attribute) else ast.unparse(node.func)
        if function and name in SENDING and node.args and _is_put_together(node.args[0]):
            yield function, node.lineno


def _calls(node: ast.AST, function: str) -> Iterator[tuple[str, ast.Call]]:
    for child in ast.iter_child_nodes(node):
        inner = function
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            inner = child.name
        if isinstance(child, ast.Call):
            yield inner, child
        yield from _calls(child, inner)


def _is_put_together(node: ast.expr) -> bool:
    """Return whether a text has parts that are not written there: f-strings, %, +, format, join."""
    if isinstance(node, ast.JoinedStr):
        return any(isinstance(part, ast.FormattedValue) for part in node.values)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add | ast.Mod):
        return not all(isinstance(side, ast.Constant) for side in (node.left, node.right))
    return (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in ("format", "join", "replace")
    )


@pytest.mark.parametrize("path", SERVICE, ids=name_of)
def test_secrets_are_compared_in_constant_time(path: Path):
    found = {
        (name_of(path), ast.unparse(node)): node.lineno
        for node in compared_secrets(ast.parse(path.read_text()))
    }
    wrong = {place: line for place, line in found.items() if place not in NO_SECRET}
    assert not wrong, "use hmac.compare_digest"


def test_statements_are_not_put_together_from_parts():
    found = {
        (name_of(path), function): line
        for path in SERVICE
        for function, line in put_together(ast.parse(path.read_text()))
    }
    unknown = [f"{path}:{line} in {name}" for (path, name), line in found.items()
               if (path, name) not in PUT_TOGETHER]  # fmt: skip
    assert not unknown, "\n".join(
        ["bind parameters, or say here why nothing of a caller is in it:", *unknown]
    )
    assert PUT_TOGETHER.keys() - found.keys() == set(), "remove these from PUT_TOGETHER"


@pytest.mark.parametrize("path", SERVICE, ids=name_of)
def test_no_redirect_is_followed(path: Path):
    # a redirect takes a token to another host [T7]
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.keyword) and node.arg in ("follow_redirects", "allow_redirects"):
            assert isinstance(node.value, ast.Constant), node.lineno
            assert node.value.value is False, node.lineno
        assert not (isinstance(node, ast.Attribute) and node.attr == "follow_redirects"), path


OF_NO_ACCOUNT = {
    "address_key", "chores", "key_check", "schema_compatibility", "service_audit", "service_tokens", "sweeps",
    "webhook_endpoints",
}  # fmt: skip


def test_every_table_has_the_account_first_in_its_key_or_is_of_no_account():
    # the exceptions are those of `app/db/metadata.py`; the database itself is in test_spread_by_account.py
    without = set()
    for name, table in tables.metadata.tables.items():
        key = [column.name for column in table.primary_key.columns]
        if "account_id" not in table.columns:
            without.add(name)
        else:
            assert key[0] == "account_id", name
    assert without == OF_NO_ACCOUNT


@pytest.mark.parametrize(
    ("code", "is_noticed"),
    [
        ("if token == given: pass", True),
        ("if row.secret_hash != hash_secret(given): pass", True),
        ("if service.signature == header[0]: pass", True),
        ("if hash_secret(a) == b: pass", True),
        ("if token is None: pass", False),
        ("if parts.token == '': pass", False),
        ("query.where(table.c.token_hash == hashed)", False),
        ("if token_count == 3 or status == wanted: pass", False),
    ],
)
def test_the_check_of_comparisons_notices_secrets(code: str, is_noticed: bool):
    assert bool([*compared_secrets(ast.parse(code))]) == is_noticed


@pytest.mark.parametrize(
    ("code", "is_noticed"),
    [
        ("text(f'select {name}')", True),
        ("session.execute(text('select ' + name))", True),
        ("connection.fetch('select %s' % name)", True),
        ("text('select {}'.format(name))", True),
        ("text(' '.join(parts))", True),
        ("text('select 1')", False),
        ("text('select 1' ' from t')", False),
        ("connection.execute(statement, {'name': name})", False),
    ],
)
def test_the_check_of_statements_notices_parts(code: str, is_noticed: bool):
    assert bool([*put_together(ast.parse(f"def act(): {code}"))]) == is_noticed
