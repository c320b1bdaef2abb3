"""The mutation operators. Each takes a place of a file and yields the possible changes there, as edits of the text.

Every operator has the same share of a sample. So rare code, such as two awaited statements in a row, is changed as
often as frequent code, such as a keyword argument.
"""

import ast
import re
from collections.abc import Callable, Iterator

from tests.mutants.places import FUNCTIONS, Place, is_log, name_of, places
from tests.mutants.source import Change, Edit, Source

Edits = tuple[Edit, ...]
Operator = Callable[[Source, Place], Iterator[Edits]]

COMPARED: dict[type[ast.cmpop], tuple[bytes, ...]] = {
    ast.Lt: (b"<=", b">="),
    ast.LtE: (b"<", b">"),
    ast.Gt: (b">=", b"<="),
    ast.GtE: (b">", b"<"),
    ast.Eq: (b"!=",),
    ast.NotEq: (b"==",),
    ast.Is: (b"is not",),
    ast.IsNot: (b"is",),
    ast.In: (b"not in",),
    ast.NotIn: (b"in",),
}
COMPARISON = re.compile(rb"\bis\s+not\b|\bnot\s+in\b|\bis\b|\bin\b|[=!<>]=|[<>]")
CALCULATED: dict[type[ast.operator], bytes] = {
    ast.Add: b"-",
    ast.Sub: b"+",
    ast.Mult: b"/",
    ast.Div: b"*",
    ast.FloorDiv: b"*",
    ast.BitAnd: b"|",
    ast.BitOr: b"&",
}
NOT_NUMBERS = (ast.JoinedStr, ast.List, ast.ListComp, ast.Tuple, ast.Set, ast.Dict)
SYMBOL = re.compile(rb"//|[-+*/&|]")
CLAUSES = {"where", "having", "filter", "order_by", "limit", "distinct", "with_for_update"}
CONDITIONS = {"where", "having", "filter", "and_", "or_"}
# a string for programs; strings for people contain spaces
KEY = re.compile(r"[\w.:/-]*[a-z][\w.:/-]*", re.IGNORECASE)
SIMPLE = (ast.Expr, ast.Assign, ast.AnnAssign, ast.AugAssign)
EXITS = (ast.Return, ast.Raise, ast.Break, ast.Continue)


def negate(source: Source, place: Place) -> Iterator[Edits]:
    """Negate a condition."""
    for one in _conditions(place):
        if not isinstance(one, ast.Constant) and not _is_not(one):
            yield (source.replace(one, b"not (" + source.segment(one) + b")"),)
    for one in place.expressions():
        if _is_not(one):
            start = source.start(one)
            written = re.compile(rb"not\s*|~").match(source.text, start)
            yield (Edit(start, written.end() if written else start, b""),)


def compare(source: Source, place: Place) -> Iterator[Edits]:
    """Replace a comparison operator."""
    for one in place.expressions():
        if isinstance(one, ast.Compare):
            operands = [one.left, *one.comparators]
            for left, operator, right in zip(operands, one.ops, operands[1:], strict=False):
                for new in COMPARED[type(operator)]:
                    yield from _between(source, left, right, COMPARISON, new)


def connect(source: Source, place: Place) -> Iterator[Edits]:
    """Replace `and` with `or` and the reverse, also the SQL functions `and_` and `or_`."""
    for one in place.expressions():
        if isinstance(one, ast.BoolOp):
            old, new = (b"and", b"or") if isinstance(one.op, ast.And) else (b"or", b"and")
            pairs = zip(one.values, one.values[1:], strict=False)
            found = [
                _between(source, *pair, re.compile(rb"\b" + old + rb"\b"), new) for pair in pairs
            ]
            yield tuple(edit for edits in found for (edit,) in edits)
        elif isinstance(one, ast.Call) and name_of(one.func) in {"and_", "or_"}:
            old, new = (b"and_", b"or_") if name_of(one.func) == "and_" else (b"or_", b"and_")
            if re.search(rb"\b" + new + rb"\b", source.text):
                yield (Edit(source.end(one.func) - len(old), source.end(one.func), new),)


def calculate(source: Source, place: Place) -> Iterator[Edits]:
    """Replace an arithmetic operator; strings and lists are skipped, because they support only one."""
    for one in place.expressions():
        if isinstance(one, ast.BinOp) and _is_sum(one.op, one.left, one.right):
            yield from _between(source, one.left, one.right, SYMBOL, CALCULATED[type(one.op)])
    step = place.statement
    if isinstance(step, ast.AugAssign) and _is_sum(step.op, step.target, step.value):
        yield from _between(source, step.target, step.value, SYMBOL, CALCULATED[type(step.op)])


def alter(source: Source, place: Place) -> Iterator[Edits]:
    """Replace a constant: the opposite boolean, a number plus one, another key."""
    for one in place.expressions():
        if isinstance(one, ast.Constant):
            value = one.value
            if isinstance(value, bool):
                yield (source.replace(one, str(not value).encode()),)
            elif isinstance(value, int | float):
                yield (source.replace(one, repr(value + 1).encode()),)
            elif isinstance(value, str) and KEY.fullmatch(value):
                yield (source.replace(one, repr(f"{value}_else").encode()),)


def remove(source: Source, place: Place) -> Iterator[Edits]:
    """Remove a statement, or the context manager around a block."""
    one = place.statement
    if not place.in_function:
        return
    if isinstance(one, ast.Expr):
        if isinstance(one.value, ast.Await | ast.Call) and not is_log(one.value):
            yield (source.replace(one, b"pass"),)
    elif isinstance(one, ast.AugAssign | ast.Raise | ast.Delete | ast.Break | ast.Continue):
        yield (source.replace(one, b"pass"),)
    elif isinstance(one, ast.With | ast.AsyncWith) and not any(i.optional_vars for i in one.items):
        colon = re.compile(rb"[\s,)]*:").match(source.text, source.end(one.items[-1].context_expr))
        if colon:
            yield (Edit(source.start(one), colon.end(), b"if True:"),)


def forget(source: Source, place: Place) -> Iterator[Edits]:
    """Assign or return None instead of a value."""
    one = place.statement
    if not place.in_function or not isinstance(one, ast.Assign | ast.AnnAssign | ast.Return):
        return
    named = not isinstance(one, ast.Assign) or not isinstance(one.targets[0], ast.Tuple)
    if named and one.value is not None and not _is_none(one.value):
        yield (source.replace(one.value, b"None"),)


def drop_clause(source: Source, place: Place) -> Iterator[Edits]:
    """Remove a clause of a query, or one of its conditions."""
    for one in place.expressions():
        if isinstance(one, ast.Call):
            if isinstance(one.func, ast.Attribute) and one.func.attr in CLAUSES:
                attribute = source.end(one.func) - len(one.func.attr)
                query = source.text[: source.text.rindex(b".", 0, attribute)].rstrip()
                yield (Edit(len(query), source.end(one), b""),)
            if name_of(one.func) in CONDITIONS and len(one.args) > 1:
                yield from (_without(source, argument) for argument in one.args)


def drop_keyword(source: Source, place: Place) -> Iterator[Edits]:
    """Remove a keyword argument."""
    for one in place.expressions():
        if isinstance(one, ast.Call):
            yield from (_without(source, keyword) for keyword in one.keywords if keyword.arg)


def return_early(source: Source, place: Place) -> Iterator[Edits]:
    """Return None at the beginning of a function."""
    if isinstance(place.statement, FUNCTIONS):
        first = _first(place.statement)
        if first and not source.indent(first).strip() and not hasattr(first, "decorator_list"):
            yield (
                Edit(source.start(first), source.start(first), b"return\n" + source.indent(first)),
            )


def swap(source: Source, place: Place) -> Iterator[Edits]:
    """Swap two consecutive awaited statements, if neither uses a name that the other one writes."""
    first, second = place.statement, place.following
    if (
        place.in_function
        and second
        and _awaits(first)
        and _awaits(second)
        and _independent(first, second)
    ):
        yield (
            source.replace(first, source.segment(second)),
            source.replace(second, source.segment(first)),
        )


OPERATORS: tuple[Operator, ...] = (
    *(negate, compare, connect, calculate, alter, remove, forget),
    *(drop_clause, drop_keyword, return_early, swap),
)


def changes(source: Source) -> Iterator[Change]:
    """Yield all possible changes of a file."""
    for place in places(source.tree):
        for operator in OPERATORS:
            kind = operator.__name__.replace("_", " ")
            for edits in filter(None, operator(source, place)):
                line = source.line_of(min(edit.start for edit in edits))
                yield Change(source.path, line, kind, edits, place.lines, place.defines)


def _is_sum(operator: ast.operator, *operands: ast.expr) -> bool:
    return type(operator) in CALCULATED and not any(isinstance(o, NOT_NUMBERS) for o in operands)


def _conditions(place: Place) -> Iterator[ast.expr]:
    if isinstance(place.statement, ast.If | ast.While):
        yield place.statement.test
    for one in place.expressions():
        if isinstance(one, ast.IfExp):
            yield one.test
        for generator in getattr(one, "generators", ()):
            yield from generator.ifs


def _is_not(one: ast.expr) -> bool:
    return isinstance(one, ast.UnaryOp) and isinstance(one.op, ast.Not | ast.Invert)


def _is_none(one: ast.expr) -> bool:
    return isinstance(one, ast.Constant) and one.value is None


def _between(
    source: Source, left: ast.expr, right: ast.expr, written: re.Pattern[bytes], new: bytes
) -> Iterator[tuple[Edit]]:
    """Yield the edit of the operator between two operands, which may be in parentheses."""
    if found := written.search(source.text, source.end(left), source.start(right)):
        yield (Edit(found.start(), found.end(), new),)


def _without(source: Source, argument: ast.expr | ast.keyword) -> Edits:
    """Return the edit that removes an argument and the comma after it, or before it if it is the last one."""
    start, end = source.start(argument), source.end(argument)
    before = source.text[:start].rstrip()
    if comma := re.compile(rb"\s*,[ ]*").match(source.text, end):
        if before.endswith(b","):
            return (Edit(len(before), end + comma.group().index(b",") + 1, b""),)
        return (Edit(start, comma.end(), b""),)
    return (Edit(len(before.removesuffix(b",")), end, b""),)


def _first(function: ast.FunctionDef | ast.AsyncFunctionDef) -> ast.stmt | None:
    """Return a function's first statement that has an effect, or None if it only returns None."""
    for one in function.body:
        if not isinstance(one, ast.Pass) and not (
            isinstance(one, ast.Expr) and isinstance(one.value, ast.Constant)
        ):
            returned = one.value if isinstance(one, ast.Return) else one
            empty = returned is None or (isinstance(returned, ast.expr) and _is_none(returned))
            return None if empty else one
    return None


def _awaits(one: ast.stmt) -> bool:
    """Return whether a statement awaits something and does not leave the block."""
    inside = list(ast.walk(one))
    return any(isinstance(i, ast.Await) for i in inside) and not any(
        isinstance(i, (*EXITS, *FUNCTIONS)) for i in inside
    )


def _independent(first: ast.stmt, second: ast.stmt) -> bool:
    """Return whether neither statement reads or writes a name that the other one writes."""
    (read, written), (read_later, written_later) = _names(first), _names(second)
    return not written & (read_later | written_later) and not read & written_later


def _names(one: ast.stmt) -> tuple[set[str], set[str]]:
    names = [name for name in ast.walk(one) if isinstance(name, ast.Name)]
    return (
        {name.id for name in names if isinstance(name.ctx, ast.Load)},
        {name.id for name in names if not isinstance(name.ctx, ast.Load)},
    )
