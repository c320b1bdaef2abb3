"""No statement has a parameter for each row: PostgreSQL accepts at most 32,767 of them."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
# Names that hold a query or a fixed set of states, never a collection that grows with a firm.
QUERIES = {"own", "undecided", "holds", "contact_ids", "statuses"}


def long_lists(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Yield the line and the argument of each `in_` whose list could grow: use `any_of` for it."""
    for node in ast.walk(tree):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
            continue
        if node.func.attr in ("in_", "not_in") and not _is_short(node.args[0]):
            yield node.lineno, ast.unparse(node.args[0])


def _is_short(argument: ast.expr) -> bool:
    """Return whether the argument is a literal, a constant or a query."""
    if isinstance(argument, ast.Tuple):
        return True
    text = ast.unparse(argument)
    is_query = text.startswith("select(") or text in QUERIES
    return is_query or text.lstrip("_").partition("[")[0].partition(".")[0].isupper()


def test_no_statement_sends_a_list_that_grows_as_parameters():
    found = [
        f"{path.relative_to(ROOT)}:{line} in_({argument})"
        for path in sorted((ROOT / "app" / "db").rglob("*.py"))
        for line, argument in long_lists(ast.parse(path.read_text()))
    ]
    assert not found, "\n".join(["use any_of of app/db/session.py:", *found])


@pytest.mark.parametrize(
    ("code", "count"),
    [
        ("c.in_(ids)", 1),
        ("c.in_(list(ids))", 1),
        ("c.in_((A, B))", 0),
        ("c.in_(UNFINISHED)", 0),
        ("c.in_(_COVERED[kind])", 0),
        ("c.in_(select(t.c.x))", 0),
        ("any_of(c, ids)", 0),
    ],
)
def test_the_check_notices_a_list_of_any_length(code: str, count: int):
    assert len(list(long_lists(ast.parse(code)))) == count
