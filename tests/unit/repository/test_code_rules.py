"""Checks of the project's own code rules (CONTRIBUTING.md)."""

import ast
import importlib.util
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from pydantic import SecretStr
from sqlalchemy.exc import SQLAlchemyError

from app.clio import errors as clio_errors
from app.clio.oauth import ClioOAuth
from app.clio.regions import ClioApp, Region
from app.errors import AppError

ROOT = Path(__file__).parents[3]
APP = sorted((ROOT / "app").rglob("*.py"))
EXAMPLES = sorted((ROOT / "examples").rglob("*.py"))
TESTS = sorted((ROOT / "tests").rglob("*.py"))
MAY_WAIT = ("tests/chaos/", "tests/wide/")  # they disturb real processes for a given time
# Other sleeps: the file, the function, and the reason. None of them makes a test wait for a guessed time.
SLEEPS = {
    ("tests/support/waiting.py", "wait_for"): "a loop without asyncio waits for a condition of a process",
    ("tests/support/waiting.py", "wait_until_none_left"): "the same",
    ("tests/support/demo.py", "wait_for"): "a loop without asyncio waits for a condition of a process",
    ("tests/support/demo.py", "left"): "a loop without asyncio waits until the processes have ended",
    ("tests/support/rate_limited_read.py", "expect"): "runs on a loop that skips every wait",
    ("tests/support/webhook_receiver.py", "_one"): "an endpoint that answers slowly; tests give the delay",
    ("tests/integration/sync/connections/test_shared_rate_limit.py", "no_waiting"):
        "is the injected sleep; the time that PostgreSQL knows is real",
}  # fmt: skip
LONGEST_FILE, LONGEST_FUNCTION = 330, 40
INDEX_HOSTS = ("pypi" + ".org", "files.python" + "hosted", "/sim" + "ple/")


def tracked() -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return [ROOT / name for name in listed.stdout.splitlines() if (ROOT / name).is_file()]


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", APP + EXAMPLES, ids=name_of)
def test_files_and_functions_are_short(path: Path):
    text = path.read_text()
    if path.name != "tables.py":  # it has all tables in one place
        assert text.count("\n") <= LONGEST_FILE
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = (node.end_lineno or 0) - node.lineno
            assert length <= LONGEST_FUNCTION, f"{node.name} has {length} lines"


def sleeps(tree: ast.AST) -> Iterator[tuple[str, int]]:
    """Yield the function and the line of every `time.sleep`, and of every `asyncio.sleep` for a guessed time.

    `asyncio.sleep(0)` and a sleep in a loop, which waits for a condition, are allowed.
    """
    names = dict(_sleep_names(tree))
    for function, is_loop, node in _places(tree, "<module>", is_loop=False):
        if isinstance(node, ast.Name | ast.Attribute) and names.get(ast.unparse(node)) == "time":
            yield function, node.lineno
        elif isinstance(node, ast.Call) and names.get(ast.unparse(node.func)) == "asyncio":
            given = [*node.args, *(keyword.value for keyword in node.keywords)][:1]
            if not is_loop and [ast.unparse(one) for one in given] != ["0"]:
                yield function, node.lineno


def _sleep_names(tree: ast.AST) -> Iterator[tuple[str, str]]:
    """Yield every expression that means a sleep function in a module, and the library whose function it is."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for one in node.names:
                if one.name in ("time", "asyncio"):
                    yield f"{one.asname or one.name}.sleep", one.name
        elif isinstance(node, ast.ImportFrom) and node.module in ("time", "asyncio"):
            for one in node.names:
                if one.name == "sleep":
                    yield one.asname or one.name, node.module


def _places(node: ast.AST, function: str, *, is_loop: bool) -> Iterator[tuple[str, bool, ast.AST]]:
    """Yield everything below a node, with the function around it and whether a loop of that function is around it."""
    for child in ast.iter_child_nodes(node):
        place = (function, is_loop)
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
            place = (child.name, False)
        elif isinstance(child, ast.While | ast.For | ast.AsyncFor):
            place = (function, True)
        yield *place, child
        yield from _places(child, place[0], is_loop=place[1])


def test_tests_wait_for_conditions_and_never_for_a_guessed_time():
    found = {
        (name_of(path), function): line
        for path in TESTS
        if not name_of(path).startswith(MAY_WAIT) and "sleep" in (text := path.read_text())
        for function, line in sleeps(ast.parse(text))
    }
    wrong = [f"{path}:{line} in {name}" for (path, name), line in found.items()
             if (path, name) not in SLEEPS]  # fmt: skip
    assert not wrong, "\n".join(["wait for a condition or move the injected clock:", *wrong])
    assert SLEEPS.keys() - found.keys() == set(), "remove these from SLEEPS"


@pytest.mark.parametrize(
    ("code", "is_noticed"),
    [
        ("import time\ntime.sleep(0)", True),
        ("import time as t\nt.sleep(1)", True),
        ("from time import sleep as pause\nwhile True: pause(1)", True),
        ("import time\nClock(time.sleep)", True),
        ("import asyncio\nawait asyncio.sleep(0.01)", True),
        ("import asyncio as a\nawait a.sleep(delay)", True),
        ("from asyncio import sleep as pause\nawait pause(delay=1)", True),
        ("import asyncio\nfor one in all:\n  async def step(): await asyncio.sleep(1)", True),
        ("import asyncio\nawait asyncio.sleep(0)", False),
        ("import asyncio\nwhile not done():\n  await asyncio.sleep(0.02)", False),
        ("import asyncio\nasync for one in all:\n  await asyncio.sleep(0.02)", False),
        ("fake.sleep(5)", False),
    ],
)
def test_the_check_of_sleeps_notices_every_spelling(code: str, is_noticed: bool):
    assert bool(list(sleeps(ast.parse(code)))) is is_noticed


def test_every_test_function_is_in_a_file_that_pytest_collects():
    lost = [
        f"{name_of(path)}:{node.lineno} {node.name}"
        for path in TESTS
        if not path.name.startswith("test_") and "def test_" in (text := path.read_text())
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        if node.name.startswith("test_")
    ]
    assert not lost, "\n".join(["pytest collects test_*.py only:", *lost])


def test_only_the_session_module_opens_or_ends_transactions():
    for path in APP:
        text = path.read_text()
        if path.name != "session.py":
            assert ".commit(" not in text, path
            assert ".rollback(" not in text, path
            assert "database.begin(" not in text, path


def test_no_tracked_file_contains_the_address_of_a_package_index():
    for path in tracked():
        text = path.read_text(errors="ignore")
        assert not any(host in text for host in INDEX_HOSTS if path.name != "test_code_rules.py"), (
            path
        )


CONNECTING = {"connect", "create_pool", "create_async_engine", "create_engine"}


def test_only_one_module_opens_connections_to_the_database():
    found = {
        name_of(path)
        for path in APP
        for node in ast.walk(ast.parse(path.read_text()))
        if (
            isinstance(node, ast.Attribute)
            and ast.unparse(node.value) == "asyncpg"
            and node.attr in CONNECTING
        )
        or (
            isinstance(node, ast.ImportFrom)
            and (node.module or "").startswith(("asyncpg", "sqlalchemy"))
            and CONNECTING & {one.name for one in node.names}
        )
    }
    assert found == {"app/db/connection.py"}


# Behind a pooler in transaction mode the next transaction may have another connection of the server.
OF_A_CONNECTION = re.compile(
    r"pg_(try_)?advisory_(lock|unlock)\b|\"(listen|prepare|set(?! local)) |\btemp(orary)? table\b|, false\)\""
)


def test_no_statement_changes_the_connection_for_later_transactions():
    for path in (ROOT / "app" / "db").rglob("*.py"):
        assert OF_A_CONNECTION.search(path.read_text()) is None, path


def test_the_successor_of_httpx_is_absent_so_that_tests_never_reach_the_network():
    assert importlib.util.find_spec("httpx2") is None
    app = ClioApp(Region.US, "https://app.clio.com", "id", SecretStr("secret"))
    assert isinstance(ClioOAuth(app)._client(), httpx.AsyncClient)


@pytest.mark.parametrize("root", [AppError, clio_errors.ClioError])
def test_an_error_tree_has_one_root_and_no_library_class_as_a_parent(root: type[Exception]):
    def below(kind: type[Exception]) -> list[type[Exception]]:
        return [kind, *(found for child in kind.__subclasses__() for found in below(child))]

    for kind in below(root):
        assert not issubclass(kind, httpx.HTTPError | SQLAlchemyError)
        assert kind.__bases__[0] is Exception or issubclass(kind.__bases__[0], root)


def test_every_problem_code_is_used_once():
    def below(kind: type[AppError]) -> list[type[AppError]]:
        return [found for child in kind.__subclasses__() for found in (child, *below(child))]

    codes = [kind.code for kind in below(AppError)]
    assert sorted(codes) == sorted(set(codes))
