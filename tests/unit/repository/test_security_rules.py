"""Rules of the code that keep secrets and statements safe: each finds every place of its kind [T7, T11, T14]."""

import ast
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.db import tables
from tests.unit.repository.test_code_rules import APP, ROOT, name_of

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

# Numbers, for which `%` is the remainder: file and expression.
NUMBERS = {
    ("app/api/cursors.py", "-len(cursor) % 4"),
    ("app/api/settings.py", "number % BATCHES_PER_EVENT"),
    ("app/db/accounts/upgrades.py", "func.hashtext(_table.c.account_id, type_=Integer) % minutes"),
}  # fmt: skip
BYTES_OF_A_SECRET = 16  # 128 bits
# Random values of fewer bits: file and expression, and why nobody gains by guessing one.
NOT_GUESSED = {
    (
        "app/api/middleware.py",
        "secrets.token_hex(12)",
    ): "the id of a request, which is in its response",
    (
        "app/crypto.py",
        "secrets.token_hex(8)",
    ): "the public id of a service token, beside its secret",
    ("app/db/ids.py", "secrets.token_hex(8)"): "ids; who may use one is checked apart",
    ("app/db/roles.py", "randbits(63)"): "the key of a lock, held while users are compared",
}
RANDOM = {"token_bytes", "token_hex", "token_urlsafe", "randbits", "randbelow", "choice"}
# Rules of the linter: one piece of code for each, which it must refuse in every module of the service.
REFUSED_BY_THE_LINTER = {
    "S102": "exec(given)",
    "S301": "pickle.loads(given)",
    "S307": "eval(given)",
    "S311": "random.random()",
    "S324": "hashlib.md5(given)",
    "S501": "httpx.get(given, verify=False)",
    "S602": "subprocess.run(given, shell=True)",
    "S603": "subprocess.run([given])",
    "S604": "start(given, shell=True)",
    "S605": "os.system(given)",
    "S606": "os.execl(given)",
    "S607": "subprocess.run(['ls'])",
}
NOQA = re.compile(r"#\s*(?:ruff:\s*|flake8:\s*)?noqa\b(?::\s*([A-Z0-9, ]+))?", re.IGNORECASE)


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


def free_formats(tree: ast.Module) -> Iterator[tuple[str, int]]:
    """Yield every `%` and `.format` whose left side is neither a written text nor a constant of the module."""
    constants = {
        target.id
        for node in tree.body
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name) and target.id.isupper()
    }
    for node in ast.walk(tree):
        left = _format_of(node)
        is_text = isinstance(left, ast.Constant) and isinstance(left.value, str | bytes)
        is_known = isinstance(left, ast.Name) and left.id in constants
        if left is not None and not is_text and not is_known:
            yield ast.unparse(node), left.lineno


def _format_of(node: ast.AST) -> ast.expr | None:
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mod):
        return node.left
    if isinstance(node, ast.AugAssign) and isinstance(node.op, ast.Mod):
        return node.target
    if isinstance(node, ast.Attribute) and node.attr in ("format", "format_map"):
        return node.value
    return None


def short_random_values(tree: ast.AST) -> Iterator[str]:
    """Yield every random value that has not at least 128 bits, or whose number of bits is not written there."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call) or ast.unparse(node.func).split(".")[-1] not in RANDOM:
            continue
        given = node.args[0].value if node.args and isinstance(node.args[0], ast.Constant) else 0
        is_enough = isinstance(given, int) and given >= BYTES_OF_A_SECRET
        if not is_enough or not ast.unparse(node.func).split(".")[-1].startswith("token_"):
            yield ast.unparse(node)


def silenced(text: str, rules: set[str]) -> set[str]:
    """Return which of these rules of the linter the comments in a text switch off."""
    found = set()
    for comment in NOQA.finditer(text):
        given = re.split(r"[,\s]+", comment[1].strip()) if comment[1] else [""]
        found |= covered(given, rules)
    return found


def covered(given: list[str], rules: set[str]) -> set[str]:
    """Return the rules that these codes mean; a code may be the beginning of several rules, or `ALL`."""
    return {
        rule for rule in rules for code in given if rule.startswith(code.upper()) or code == "ALL"
    }


def test_the_linter_refuses_shells_eval_weak_hashes_and_random_numbers():
    # V1.2.5, V1.3.2, V11.4.1, V11.5.1
    code = "\n".join(
        ["import hashlib, httpx, os, pickle, random, subprocess", *REFUSED_BY_THE_LINTER.values()]
    )
    name = str(ROOT / "app" / "api" / "any.py")
    checked = subprocess.run(
        [sys.executable, "-m", "ruff", "check", "--no-cache", "--output-format=concise", "--stdin-filename", name, "-"],
        cwd=ROOT, input=code, capture_output=True, text=True, check=False,
    )  # fmt: skip
    found = set(re.findall(r": (S\d+) ", checked.stdout))
    assert REFUSED_BY_THE_LINTER.keys() - found == set(), checked.stdout + checked.stderr


def test_these_rules_of_the_linter_are_on_in_every_module_of_the_service():
    rules = set(REFUSED_BY_THE_LINTER)
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["ruff"]
    lint = settings["lint"]
    assert "S" in lint["select"]
    assert not covered([*lint.get("ignore", ()), *lint.get("extend-ignore", ())], rules)
    for kind in ("per-file-ignores", "extend-per-file-ignores"):
        for files, codes in lint.get(kind, {}).items():
            if not files.startswith(("tests/", "benchmarks/")):
                assert not covered(codes, rules), files
    excluded = [*settings.get("exclude", ()), *settings.get("extend-exclude", ())]
    assert all(files.startswith(("benchmarks/", "clients/")) for files in excluded), excluded
    assert not [*(ROOT / "app").rglob("*ruff.toml")]
    wrong = {
        name_of(path): codes for path in SERVICE if (codes := silenced(path.read_text(), rules))
    }
    assert not wrong


def test_formats_are_written_in_the_code():
    # V1.3.10: one that somebody else chooses reads attributes, or makes a text of any length
    found = {
        (name_of(path), code): line
        for path in SERVICE
        for code, line in free_formats(ast.parse(path.read_text()))
    }
    wrong = [f"{path}:{line} {code}" for (path, code), line in found.items()
             if (path, code) not in NUMBERS]  # fmt: skip
    assert not wrong, "\n".join(["write the format there, or as a constant of the module:", *wrong])
    assert NUMBERS - found.keys() == set(), "remove these from NUMBERS"


def test_a_secret_has_128_random_bits():
    # V11.5.1
    found = {
        (name_of(path), code)
        for path in SERVICE
        for code in short_random_values(ast.parse(path.read_text()))
    }
    assert found == NOT_GUESSED.keys()


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


CLIENTS = {
    *(f"httpx.{name}" for name in ("AsyncClient", "Client", "AsyncHTTPTransport", "HTTPTransport")),
    *(f"httpx.{method}" for method in ("get", "head", "post", "put", "request", "stream")),
    "AsyncOAuth2Client",
}


def clients_that_ask_the_environment(tree: ast.AST) -> list[int]:
    """Return the lines of calls that make an HTTP client or send a request and do not say `trust_env=False`."""
    return [
        node.lineno
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and ast.unparse(node.func) in CLIENTS
        and not any(
            one.arg == "trust_env" and ast.unparse(one.value) == "False" for one in node.keywords
        )
    ]


@pytest.mark.parametrize("path", SERVICE, ids=name_of)
def test_no_client_takes_a_proxy_from_the_environment(path: Path):
    # a proxy would get what is meant for Clio, and reach addresses that the service must not [T1, T7]
    assert clients_that_ask_the_environment(ast.parse(path.read_text())) == []


def test_the_check_of_clients_notices_one_that_asks_the_environment():
    for call in ("httpx.AsyncClient()", "AsyncOAuth2Client(trust_env=True)", "httpx.get('x')"):
        assert clients_that_ask_the_environment(ast.parse(call)) == [1]
    assert clients_that_ask_the_environment(ast.parse("httpx.Client(trust_env=False)")) == []


OF_NO_ACCOUNT = {
    "address_key", "chores", "console_sessions", "key_check", "schema_compatibility", "service_audit",
    "service_tokens", "sweeps", "webhook_endpoints",
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


@pytest.mark.parametrize(
    ("code", "is_noticed"),
    [
        ("def act(text): return text.format(1)", True),
        ("def act(text): return text % 1", True),
        ("def act(text): text %= 1", True),
        ("def act(body): return body['text'].format_map(body)", True),
        ("def act(text): return map(text.format, [1])", True),
        ("TEXTS = {}\ndef act(text): return TEXTS[text].format(1)", True),
        ("from other import TEXT\ndef act(): return TEXT.format(1)", True),
        ("TEXT = '{}'\ndef act(): return TEXT.format(1)", False),
        ("def act(): return '{}'.format(1)", False),
        ("def act(): return b'%b' % b'x'", False),
    ],
)
def test_the_check_of_formats_notices_what_is_not_written_there(code: str, is_noticed: bool):
    assert bool([*free_formats(ast.parse(code))]) == is_noticed


@pytest.mark.parametrize(
    ("code", "is_noticed"),
    [
        ("secrets.token_urlsafe(15)", True),
        ("secrets.token_urlsafe()", True),
        ("token_hex(length)", True),
        ("secrets.randbits(256)", True),
        ("secrets.token_bytes(16)", False),
        ("secrets.token_urlsafe(48)", False),
    ],
)
def test_the_check_of_random_values_notices_short_ones(code: str, is_noticed: bool):
    assert bool([*short_random_values(ast.parse(code))]) == is_noticed


@pytest.mark.parametrize(
    ("comment", "is_noticed"),
    [
        ("eval(x)  # noqa: S307", True),
        ("eval(x)  # noqa: E501, s307  # why", True),
        ("eval(x)  #noqa", True),
        ("# ruff: noqa", True),
        ("# ruff: noqa: S", True),
        ("x = 1  # noqa: S105", False),
        ("x = 1  # noqa: E501  # S307 is another rule", False),
    ],
)
def test_the_check_of_comments_notices_what_switches_a_rule_off(comment: str, is_noticed: bool):
    assert bool(silenced(comment, set(REFUSED_BY_THE_LINTER))) == is_noticed
