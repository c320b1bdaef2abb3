"""Every transaction of a run checks the fence: a worker that lost its lease must write nothing (F13, I5)."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
RUN = "app.sync.run"
TRANSACTIONS = {
    "app.db.session.transaction",
    "app.db.session.begun",
    "app.db.system.system_transaction",
    "app.db.connection.connect",
}
OPENERS = {"begin", "connect"}  # of SQLAlchemy's engine, whatever its name
# Functions in modules that a run reaches, which may open a transaction without a fence, and why.
MAY_OPEN = {
    ("app.db.session", "begun"): "it is the transaction",
    ("app.db.runs.leases", "fenced_transaction"): "it adds the fence",
    ("app.db.connection", "connect"): "it is the connection",
    ("app.db.notifications", "listen"): "it opens the connection that listens, and writes nothing",
    ("app.sync.run", "work_on_runs"): "it acquires the lease, so that it has none yet",
    ("app.db.system", "system_transaction"): "it is the transaction",
    (
        "app.sync.slices",
        "transaction",
    ): "it ends the lease, if the slice still holds it and its job",
    ("app.sync.connections.tokens", "token"): "it only reads the login's tokens",
    (
        "app.sync.connections.tokens",
        "renew",
    ): "it claims the lease of a refresh, which belongs to the login",
    (
        "app.sync.connections.tokens",
        "_end_refresh",
    ): "tokens are the login's, and Clio has renewed them already",
    (
        "app.sync.connections.rate_limit",
        "_stored_window",
    ): "all processes share the window of a token",
}


def modules() -> dict[str, ast.Module]:
    """Return every module of the service by its dotted name."""
    found = {}
    for path in sorted((ROOT / "app").rglob("*.py")):
        name = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
        found[name] = ast.parse(path.read_text())
    return found


MODULES = modules()


@cache
def imported(tree: ast.AST) -> dict[str, str]:
    """Return the names that a module imports, anywhere in it, with the dotted name of what each one means."""
    found: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, "an import relative to the module's own folder"
            found |= {one.asname or one.name: f"{node.module}.{one.name}" for one in node.names}
        elif isinstance(node, ast.Import):
            for one in node.names:
                name = one.name if one.asname else one.name.partition(".")[0]
                found[one.asname or name] = name
    return found


@cache
def defined(dotted: str) -> str:
    """Return the place where something is defined, if the named module only imports it."""
    owner, _, name = dotted.rpartition(".")
    if dotted in MODULES or owner not in MODULES:
        return dotted
    meant = imported(MODULES[owner]).get(name)
    return defined(meant) if meant and meant != dotted else dotted


def module_of(dotted: str) -> str:
    return (
        dotted if dotted in MODULES or "." not in dotted else module_of(dotted.rpartition(".")[0])
    )


def named(tree: ast.AST) -> Iterator[str]:
    """Return the dotted names of all that a module imports; of `import a.b`, which binds only `a`, the whole name."""
    yield from imported(tree).values()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (one.name for one in node.names)


@cache
def reached() -> set[str]:
    """Return the modules that a run reaches by imports; of a package only the modules whose names are imported."""
    found, waiting = set(), [RUN]
    while waiting:
        name = waiting.pop()
        if name in MODULES and name not in found:
            found.add(name)
            waiting += [module_of(defined(dotted)) for dotted in named(MODULES[name])]
    return found


def meaning(node: ast.AST, names: dict[str, str]) -> str | None:
    """Return the dotted name that a name or an attribute means; None if it is not of an import."""
    if isinstance(node, ast.Name):
        return names.get(node.id)
    if isinstance(node, ast.Attribute) and (owner := meaning(node.value, names)):
        return defined(f"{owner}.{node.attr}")
    return None


def openers(tree: ast.Module) -> set[str]:
    """Return the functions of a module that use a transaction without a fence, or the engine itself."""
    names = {name: defined(dotted) for name, dotted in imported(tree).items()}
    found = set()
    for name, node in _inside("<module>", tree):
        is_engine = isinstance(node, ast.Call) and getattr(node.func, "attr", "") in OPENERS
        if is_engine or meaning(node, names) in TRANSACTIONS:
            found.add(name)
    return found


def _inside(function: str, node: ast.AST) -> Iterator[tuple[str, ast.AST]]:
    """Return everything below a node with the name of the outermost function around it."""
    for child in ast.iter_child_nodes(node):
        name = function
        if function == "<module>" and isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
            name = child.name
        yield name, child
        yield from _inside(name, child)


def test_a_run_opens_only_fenced_transactions():
    used = {(name, function) for name in reached() for function in openers(MODULES[name])}
    assert used - MAY_OPEN.keys() == set(), "use fenced_transaction here"
    assert MAY_OPEN.keys() - used == set(), "remove these from MAY_OPEN: no run reaches them"


def test_a_run_reaches_its_pull_its_assessing_and_what_both_use():
    steps = {
        *(f"app.sync.{name}" for name in ("issues", "run_events", "concurrency")),
        *(
            f"app.sync.assess.{name}"
            for name in ("assess", "new_clients", "shrink_guard", "surges")
        ),
        *(f"app.sync.pull.{name}" for name in ("all_connections", "pages", "storage", "deletions")),
    }
    assert steps - reached() == set()
    pull = {name for name in MODULES if name.startswith("app.sync.pull.")}
    assert pull - reached() == set()
    assert "app.sync.assess.preview" not in reached()  # the package imports it, a run does not


@pytest.mark.parametrize(
    ("imports", "opens"),
    [
        ("from app.db.session import transaction", "transaction(database)"),
        ("from app.db.session import transaction as open_session", "open_session(database)"),
        ("from app.db import session", "session.transaction(database)"),
        ("from app.db import session as s", "s.transaction(database)"),
        ("import app.db.session", "app.db.session.transaction(database)"),
        ("import app.db.session as s", "s.transaction(database)"),
        ("from app.sync.run import transaction as again", "again(database)"),
        ("from functools import partial\nfrom app.db.session import transaction", "partial(transaction, database)()"),
        ("", "database.begin()"),
        ("", "database.connect()"),
    ],
)  # fmt: skip
def test_the_check_notices_a_transaction_without_a_fence(imports: str, opens: str):
    code = f"{imports}\nasync def land(database):\n    async with {opens} as found:\n        pass\n"
    assert openers(ast.parse(code)) == {"land"}


def test_the_check_accepts_other_names_and_the_fenced_transaction():
    code = "from app.db.runs.leases import fenced_transaction as transaction\ntransaction(database, lease)\n"
    assert openers(ast.parse(code)) == set()
