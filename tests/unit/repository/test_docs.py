"""The pages in `docs/` agree with the code: they list everything, and nothing else, and the paths in them exist.

So do the docstrings and comments with the files, and the calls that log with the fields that a log may have.
"""

import ast
import io
import json
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import typer

from app import logs
from app.cli.commands import cli
from app.clio import errors as clio_errors
from app.clio.regions import Region, origin_of
from app.config import PREFIX, Config, RegisteredApp
from app.db import issues, session, tables

ROOT = Path(__file__).parents[3]
OPERATIONS = (ROOT / "docs" / "operations.md").read_text()
ARCHITECTURE = (ROOT / "docs" / "architecture.md").read_text()
INTERNALS = (ROOT / "docs" / "internals.md").read_text()


MEANT_TWICE = ("events.md",)  # a status stands once for each reason
LEVELS = "debug|info|warning|error|exception|critical"
# A path in backticks; one with a wildcard or a placeholder is none.
PATH = re.compile(r"`((?:app|tests|docs|migrations|benchmarks)/[^`\s*…<>{}]*)`")


def section(title: str) -> str:
    return OPERATIONS.split(f"\n## {title}\n")[1].split("\n## ")[0]


def named(text: str) -> set[str]:
    """Return the names between backticks in the first column of a text's tables."""
    rows = [line for line in text.splitlines() if line.startswith("| `")]
    return {name for row in rows for name in re.findall(r"`([^`]+)`", row.split(" | ")[0])}


def test_the_manual_lists_every_metric_of_ours_and_no_other():
    pinned = json.loads((ROOT / "tests" / "data" / "pinned" / "metrics.json").read_text())
    ours = {name for name in pinned if name.startswith("levitate_clio_")}
    assert named(section("Metrics")) == ours
    others = {name.replace("_created", "") for name in pinned if name not in ours}
    listed = set(re.findall(r"`(http_\w+)`", section("Metrics")))
    assert {name.removesuffix("_total") for name in listed} == {
        name.removesuffix("_total") for name in others
    }


def test_the_manual_lists_every_variable_and_no_other():
    wanted = {f"{PREFIX}{name.upper()}" for name in Config.model_fields if name != "regions"}
    regions = {f"{PREFIX}REGIONS__US__{name.upper()}" for name in RegisteredApp.model_fields}
    listed = {name.replace("…", f"{PREFIX}REGIONS") for name in named(section("Variables"))}
    assert listed == wanted | regions


def test_the_manual_lists_the_hosts_of_clio_for_a_firewall():
    # ASVS V13.1.1
    rows = [row.split(" | ") for row in section("Connections in and out").splitlines()]
    rows = [row for row in rows if row[0].startswith("| ") and len(row) > 3]
    assert all(len(row) == 5 for row in rows)
    hosts = {host for row in rows for host in re.findall(r"`([\w-]+(?:\.[\w-]+)+)`", row[1])}
    clios = {urlsplit(origin_of(region)).hostname for region in Region}
    assert hosts == clios


def test_the_manual_lists_the_ports_on_which_a_process_listens():
    # ASVS V13.1.1
    group = typer.main.get_command(cli)
    (port,) = [one for one in group.commands["serve"].params if one.name == "port"]  # type: ignore[attr-defined]
    found = section("Connections in and out")
    assert f"`--port`, {port.default} by default" in found
    worker = Config.model_fields["worker_port"].default
    assert f"`{PREFIX}WORKER_PORT`, {worker} by default" in found


def test_the_time_limits_for_corrections_grow_with_less_severity():
    # ASVS V15.1.1
    limits = (ROOT / "SECURITY.md").read_text().split("\n## Time limits\n")[1].split("\n## ")[0]
    rows = re.findall(
        r"^\| (critical|high|medium|low)\b.*?\| (?:(\d+) days|with) ", limits, re.MULTILINE
    )
    assert [name for name, _ in rows] == ["critical", "high", "medium", "low"]
    days = [int(number) for _, number in rows if number]
    assert days == sorted(set(days))
    (regular,) = re.findall(r"at least every (\d+) days", limits)
    assert len(days) == 3
    assert days[-1] < int(regular)


def test_the_manual_lists_the_size_of_every_pool_and_their_sum():
    rows = [row.strip("|* ").split("|") for row in section("Database connections").splitlines()]
    sizes = {
        row[0].strip("`* "): tuple(int(cell.strip("* ")) for cell in row[1:4])
        for row in rows
        if len(row) > 3 and row[1].strip("* ").isdecimal()
    }
    total = sizes.pop("serve")
    assert total == tuple(sum(column) for column in zip(*sizes.values(), strict=True))
    for name, limits in vars(session).items():
        if isinstance(limits, session.PoolLimits):
            listed = sizes[name.removesuffix("_POOL").lower()]
            assert listed == (limits.kept, limits.most, limits.system)


def test_the_manual_lists_every_command_and_no_other():
    group = typer.main.get_command(cli)
    commands = {
        " ".join(filter(None, ("levitate-clio", name, inner)))
        for name, command in group.commands.items()  # type: ignore[attr-defined]
        for inner in getattr(command, "commands", {"": None})
    }
    assert named(section("Commands")) == commands


def test_the_manual_lists_every_option_of_the_commands():
    group = typer.main.get_command(cli)
    for name, command in group.commands.items():  # type: ignore[attr-defined]
        for inner in getattr(command, "commands", {name: command}).values():
            for parameter in inner.params:
                if parameter.param_type_name == "option":
                    assert f"`{parameter.opts[0]}`" in section("Commands"), (name, parameter.opts)


def test_the_manual_lists_every_log_field_and_event():
    assert set(re.findall(r"`(\w+)`", section("Logs").split(":", 1)[1].split(". ")[0])) >= (
        logs.ALLOWED_FIELDS - {"error"}
    )
    events, hidden = {logs.LIBRARY_MESSAGE}, list[str]()
    for path in sorted((ROOT / "app").rglob("*.py")):
        for line, event in logged_events(ast.parse(path.read_text())):
            if event is None:
                hidden.append(f"{path.relative_to(ROOT)}:{line}")
            else:
                events.add(event)
    assert not hidden, "\n".join(["the event of a log call must be a text, not computed:", *hidden])
    assert named(section("Logs")) == events


def logged_events(tree: ast.AST) -> Iterator[tuple[int, str | None]]:
    """Yield the line and the event of every log call, None if the event is not a plain text.

    A method that is passed on, such as `partial(log.info, …)`, has no event here, and yields None too.
    """
    called = {node.func: node for node in ast.walk(tree) if isinstance(node, ast.Call)}
    for node in ast.walk(tree):
        if not isinstance(node, ast.Attribute) or not re.fullmatch(f"{LEVELS}|log", node.attr):
            continue
        if not re.fullmatch(
            r"(\w+\.)*(log|logger)|\w*[gG]et_?[lL]ogger\(.*\)", ast.unparse(node.value)
        ):
            continue
        call = called.get(node)
        first = call.args[0] if call is not None and call.args else None
        text = first.value if isinstance(first, ast.Constant) else None
        yield node.lineno, text if isinstance(text, str) else None


def test_the_check_of_events_notices_every_way_to_log():
    code = "log.info('a')\nself.log.error(\n'b', x=1)\nlog.warning(kind + '_c')\npartial(log.info, 'c')\nbox.info('d')"
    assert [event for _, event in logged_events(ast.parse(code))] == ["a", "b", None, None]


def lost_fields(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Yield the line and the name of every keyword of a log call that `app/logs.py` would drop."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        called = ast.unparse(node.func)
        if re.fullmatch(rf"log\.({LEVELS}|bind)|.*\bbind_contextvars", called):
            for keyword in node.keywords:
                if keyword.arg not in logs.ALLOWED_FIELDS | {"exc_info"}:
                    yield node.lineno, keyword.arg or "**"


def test_every_field_that_is_logged_is_an_allowed_one():
    lost = [
        f"{path.relative_to(ROOT)}:{line} {name}"
        for path in sorted((ROOT / "app").rglob("*.py"))
        if "log" in (text := path.read_text())
        for line, name in lost_fields(ast.parse(text))
    ]
    assert not lost, "\n".join(["app/logs.py drops these; add them to ALLOWED_FIELDS:", *lost])


def test_the_check_of_logged_fields_notices_a_field_that_is_dropped():
    code = "log.debug('x', run_id=1, colour=2)\nlog.critical('x', exc_info=e, **more)\nother.info(size=1)"
    assert [name for _, name in lost_fields(ast.parse(code))] == ["colour", "**"]


def test_the_manual_explains_every_error_code_of_a_run():
    def below(kind: type[clio_errors.ClioError]) -> set[str]:
        codes = {code for child in kind.__subclasses__() for code in below(child)}
        return codes | {kind.default_code}

    source = "".join(path.read_text() for path in (ROOT / "app").rglob("*.py"))
    used = set(re.findall(r'code="(clio_\w+)"', source)) | below(clio_errors.ClioError)
    never_met = {
        "clio_error",
        "write_not_allowed",
    }  # the root class, and an error that only a defect of ours can raise
    assert named(section("Codes, and what to do")) >= used - never_met


def test_every_code_of_the_manual_exists():
    source = "".join(path.read_text() for path in (ROOT / "app").rglob("*.py"))
    for code in named(section("Codes, and what to do")):
        assert f'"{code}"' in source, code


def test_the_architecture_is_short_and_its_paths_exist():
    assert ARCHITECTURE.count("\n") <= 120
    paths = re.findall(r"`(app/[\w/.]+)`", ARCHITECTURE)
    assert len(paths) > 20
    for path in paths:
        assert (ROOT / path).exists(), path


def prose(code: str) -> str:
    """Return the docstrings, the comments and the texts below fields of a module."""
    tree = ast.parse(code)
    alone = [node.value for node in ast.walk(tree) if isinstance(node, ast.Expr)]
    texts = [str(node.value) for node in alone if isinstance(node, ast.Constant)]
    tokens = tokenize.generate_tokens(io.StringIO(code).readline)
    return "\n".join([*texts, *(one.string for one in tokens if one.type == tokenize.COMMENT)])


def missing_paths(text: str) -> list[str]:
    return [path for path in PATH.findall(text) if not (ROOT / path.partition(":")[0]).exists()]


def test_every_path_in_the_documents_the_docstrings_and_the_comments_exists():
    pages = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
    modules = [*(ROOT / "app").rglob("*.py"), *(ROOT / "tests").rglob("*.py")]
    missing = []
    for file in sorted([*pages, *modules]):
        text = file.read_text()
        if not missing_paths(text):
            continue
        found = missing_paths(prose(text) if file.suffix == ".py" else text)
        missing += [f"{file.relative_to(ROOT)}: {path}" for path in found]
    assert not missing, "\n".join(["these paths do not exist:", *missing])


def test_the_check_of_paths_reads_docstrings_and_comments_and_no_other_texts():
    code = '"""See `app/a.py`."""\nx = 1  # `docs/b.md`\n"""`tests/*.py`, `app/…`"""\ny = "`app/c.py`"\n'
    assert missing_paths(prose(code)) == ["app/a.py", "docs/b.md"]


def test_the_architecture_names_every_folder_of_the_service():
    folders = {path.parent.relative_to(ROOT) for path in (ROOT / "app").rglob("__init__.py")}
    for folder in folders:
        if folder.parts[1:2] != ("simulator",) and len(folder.parts) > 1:
            assert str(folder) in ARCHITECTURE or "schemas" in folder.parts, folder


def test_the_glossary_has_at_most_forty_entries():
    rows = ARCHITECTURE.split("## Glossary")[1].count("\n| ") - 2
    assert 10 < rows <= 40


def test_the_internals_name_the_module_that_writes_each_table():
    rows = named(INTERNALS.split("## Which module writes which table")[1])
    assert rows >= set(tables.metadata.tables)
    assert rows <= set(tables.metadata.tables)


def test_no_table_of_the_documents_has_a_row_twice():
    # `preexisting_tags` and `erased_contacts` were two rows each
    for page in (ROOT / "docs").glob("*.md"):
        for table in re.findall(r"(?:^\|.*\n)+", page.read_text(), flags=re.MULTILINE):
            names = [
                name
                for row in table.splitlines()
                for name in re.findall(r"`([^`]+)`", row.split(" | ")[0])
            ]
            if page.name not in MEANT_TWICE:
                assert sorted(names) == sorted(set(names)), (page.name, table[:80])


def test_decisions_are_numbered_in_sequence_and_have_the_number_in_the_title():
    pages = sorted((ROOT / "docs" / "decisions").glob("*.md"))
    numbers = [int(page.name[:4]) for page in pages]
    assert numbers == list(range(1, len(pages) + 1))
    for number, page in zip(numbers, pages, strict=True):
        assert page.read_text().startswith(f"# {number}. "), page.name


def test_the_readme_links_to_every_page():
    readme = (ROOT / "README.md").read_text()
    for page in (ROOT / "docs").glob("*.md"):
        assert f"](docs/{page.name})" in readme, page.name


def test_every_link_between_the_documents_has_a_target():
    for page in (*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")):
        for target in re.findall(r"\]\(([^)#]+)\)", page.read_text()):
            assert target.startswith("http") or (page.parent / target).exists(), (page, target)


def test_the_page_of_issues_has_each_code_with_its_severity():
    rows = re.findall(r"(?m)^\| `(\w+)` \| (\w+) \|", (ROOT / "docs/issues.md").read_text())
    assert dict(rows) == issues.SEVERITIES
