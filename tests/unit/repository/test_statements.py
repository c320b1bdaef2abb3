"""No statement has a parameter for each row: PostgreSQL accepts at most 32,767 of them."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]


def long_lists(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Yield the line and the argument of each `in_` whose list could grow: use `any_of` for it."""
    for scope in tree.body:
        queries = set(_queries(scope))
        for node in ast.walk(scope):
            match node:
                case ast.Call(func=ast.Attribute(attr="in_" | "not_in"), args=[argument, *_]):
                    if not _is_short(argument, queries):
                        yield node.lineno, ast.unparse(argument)
                case _:
                    pass


def _queries(scope: ast.AST) -> Iterator[str]:
    """Yield the names that hold a query: those that are declared so or made by `select`."""
    for node in ast.walk(scope):
        match node:
            case ast.AnnAssign(target=ast.Name(name), annotation=declared):
                if ast.unparse(declared).startswith("Select["):
                    yield name
            case ast.Assign(targets=[ast.Name(name)], value=value):
                if ast.unparse(value).startswith("select("):
                    yield name
            case _:
                pass


def _is_short(argument: ast.expr, queries: set[str]) -> bool:
    """Return whether the argument is a literal, a constant or a query."""
    if isinstance(argument, ast.Tuple):
        return not any(
            isinstance(item, ast.Starred) and not _is_constant(item.value) for item in argument.elts
        )
    text = ast.unparse(argument)
    return text.startswith("select(") or text in queries or _is_constant(argument)


def _is_constant(argument: ast.expr) -> bool:
    """Return whether the name is written as a constant, or is a part of one."""
    return ast.unparse(argument).lstrip("_").partition("[")[0].partition(".")[0].isupper()


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
        ("c.in_((*ids, A))", 1),
        ("contact_ids = [1]; c.in_(contact_ids)", 1),
        ("c.in_((A, B))", 0),
        ("c.in_((*UNFINISHED, B))", 0),
        ("c.in_(UNFINISHED)", 0),
        ("c.in_(_COVERED[kind])", 0),
        ("c.in_(select(t.c.x))", 0),
        ("own = select(t.c.x); c.in_(own)", 0),
        ("own: Select[int] = given; c.in_(own)", 0),
        ("any_of(c, ids)", 0),
    ],
)
def test_the_check_notices_a_list_of_any_length(code: str, count: int):
    assert len(list(long_lists(ast.parse(f"def f(): {code}")))) == count
