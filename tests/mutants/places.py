"""The statements of a file, each with its own expressions and the lines that a test runs when it reaches it."""

import ast
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain

FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
LOGGERS = re.compile(r"_?log(ger)?$")
LOG_METHODS = {"debug", "info", "warning", "error", "exception"}
NOT_READ_AT_RUN_TIME = {"Literal", "TypeVar", "NewType", "cast"}
SCHEMA = {"table", "metadata"}  # not changed: a test compares the tables with the migrated database


@dataclass(frozen=True)
class Scope:
    """The scope of a statement: a function, or code that runs at import, possibly in a class."""

    in_function: bool = False
    class_name: str | None = None


@dataclass(frozen=True)
class Place:
    """A statement without the statements inside it, and the next statement of its block."""

    statement: ast.stmt
    following: ast.stmt | None
    in_function: bool
    defines: frozenset[str]

    @property
    def lines(self) -> tuple[int, int]:
        """The lines that a test runs when it reaches the place; for a function, the lines of its body."""
        one = self.statement
        if isinstance(one, FUNCTIONS):
            return one.body[0].lineno, one.end_lineno or one.lineno
        if hasattr(one, "body"):
            return one.lineno, max([one.lineno, *(e.end_lineno or 0 for e in _own(one))])
        return one.lineno, one.end_lineno or one.lineno

    def expressions(self) -> Iterator[ast.expr]:
        """Yield the statement's own expressions and those inside them, without log calls and types."""
        for one in _own(self.statement):
            yield from _within(one)


def places(tree: ast.Module) -> Iterator[Place]:
    """Yield the places of a file that a change may touch, from top to bottom."""
    yield from _of_block(tree.body, Scope())


def _of_block(body: Sequence[ast.stmt], scope: Scope) -> Iterator[Place]:
    for one, following in zip(body, [*body[1:], None], strict=True):
        defines = frozenset() if scope.in_function else _defined(one, scope)
        if scope.in_function or isinstance(one, FUNCTIONS) or defines:
            yield Place(one, following, scope.in_function, defines)
        for block in _blocks(one):
            yield from _of_block(block, _inside(one, scope))


def _inside(one: ast.stmt, scope: Scope) -> Scope:
    if isinstance(one, FUNCTIONS):
        return Scope(in_function=True)
    return Scope(class_name=one.name) if isinstance(one, ast.ClassDef) else scope


def _blocks(one: ast.stmt) -> Iterator[list[ast.stmt]]:
    for part in (one, *getattr(one, "handlers", ()), *getattr(one, "cases", ())):
        for name in ("body", "orelse", "finalbody"):
            if block := getattr(part, name, None):
                yield block


def _defined(one: ast.stmt, scope: Scope) -> frozenset[str]:
    """Return the names that a statement defines at import, or none if no test can notice a change of it.

    For a statement in a class body, the name of the class is included.
    """
    if (
        not isinstance(one, ast.Assign | ast.AnnAssign)
        or one.value is None
        or _is_schema(one.value)
    ):
        return frozenset()
    targets = one.targets if isinstance(one, ast.Assign) else [one.target]
    names = {target.id for target in targets if isinstance(target, ast.Name)}
    return frozenset(names | ({scope.class_name} if names and scope.class_name else set()))


def _is_schema(value: ast.expr) -> bool:
    return isinstance(value, ast.Call) and name_of(value.func).strip("_").lower() in SCHEMA


def _own(one: ast.stmt) -> Iterator[ast.expr]:
    if isinstance(one, FUNCTIONS):
        yield from filter(None, chain(one.args.defaults, one.args.kw_defaults))
    elif isinstance(one, ast.AnnAssign):
        yield from filter(None, [one.value])
    elif isinstance(one, ast.With | ast.AsyncWith):
        yield from (item.context_expr for item in one.items)
    elif not isinstance(one, ast.ClassDef) and not _is_text(one):
        yield from (child for child in ast.iter_child_nodes(one) if isinstance(child, ast.expr))


def _is_text(one: ast.stmt) -> bool:
    return isinstance(one, ast.Expr) and isinstance(one.value, ast.Constant)


def _within(node: ast.AST) -> Iterator[ast.expr]:
    """Yield an expression and all expressions inside it.

    F-strings are skipped, because their parts have no reliable position in Python 3.11.
    """
    if isinstance(node, ast.JoinedStr) or is_log(node) or _is_type(node):
        return
    if isinstance(node, ast.expr):
        yield node
    for child in ast.iter_child_nodes(node):
        yield from _within(child)


def is_log(node: ast.AST) -> bool:
    """Return whether the node is a log call, which is never changed."""
    return (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in LOG_METHODS
        and LOGGERS.match(name_of(node.func.value)) is not None
    )


def _is_type(node: ast.AST) -> bool:
    called = node.func if isinstance(node, ast.Call) else getattr(node, "value", node)
    return isinstance(node, ast.Call | ast.Subscript) and name_of(called) in NOT_READ_AT_RUN_TIME


def name_of(node: ast.AST) -> str:
    """Return the last part of a dotted name, or an empty string."""
    return (
        node.id
        if isinstance(node, ast.Name)
        else node.attr
        if isinstance(node, ast.Attribute)
        else ""
    )
