"""Every transaction of a run checks the fence: a worker that lost its lease must write nothing (F13, I5)."""

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[3]
RUN = (
    "app/sync/run.py",
    "app/sync/pull/*.py",
    "app/sync/assess/assess.py",
    "app/sync/assess/shrink_guard.py",
)
# The transaction that acquires the lease cannot have one yet.
ACQUIRES = {("app/sync/run.py", "execute_run")}
OPENERS = {"transaction", "begin", "connect"}


def opened(tree: ast.AST) -> Iterator[tuple[str, str]]:
    """Return the functions of a module that open a transaction, with the function that each one calls."""
    for function in ast.walk(tree):
        if not isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        for node in ast.walk(function):
            if isinstance(node, ast.Call):
                name = getattr(node.func, "id", getattr(node.func, "attr", ""))
                if name in OPENERS:
                    yield function.name, name


def files() -> list[Path]:
    found = [path for pattern in RUN for path in sorted(ROOT.glob(pattern))]
    assert len(found) > len(RUN)
    return found


def test_a_run_opens_only_fenced_transactions():
    unfenced = {
        (str(path.relative_to(ROOT)), function)
        for path in files()
        for function, _ in opened(ast.parse(path.read_text()))
    }
    assert unfenced == ACQUIRES


def test_the_check_notices_a_transaction_without_a_fence():
    code = "async def land(services):\n    async with transaction(services.database) as session:\n        pass\n"
    assert list(opened(ast.parse(code))) == [("land", "transaction")]
