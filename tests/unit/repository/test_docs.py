"""The operations manual and the architecture page agree with the code: they list everything, and nothing else."""

import re
from pathlib import Path

import typer

from app import logs
from app.cli.commands import cli
from app.clio import errors as clio_errors
from app.config import PREFIX, Config, RegisteredApp
from app.db import tables

ROOT = Path(__file__).parents[3]
OPERATIONS = (ROOT / "docs" / "operations.md").read_text()
ARCHITECTURE = (ROOT / "docs" / "architecture.md").read_text()
INTERNALS = (ROOT / "docs" / "internals.md").read_text()


def section(title: str) -> str:
    return OPERATIONS.split(f"\n## {title}\n")[1].split("\n## ")[0]


def named(text: str) -> set[str]:
    """Return the names between backticks in the first column of a text's tables."""
    rows = [line for line in text.splitlines() if line.startswith("| `")]
    return {name for row in rows for name in re.findall(r"`([^`]+)`", row.split(" | ")[0])}


def test_the_manual_lists_every_variable_and_no_other():
    wanted = {f"{PREFIX}{name.upper()}" for name in Config.model_fields if name != "regions"}
    regions = {f"{PREFIX}REGIONS__US__{name.upper()}" for name in RegisteredApp.model_fields}
    listed = {name.replace("…", f"{PREFIX}REGIONS") for name in named(section("Variables"))}
    assert listed == wanted | regions


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
    source = "".join(path.read_text() for path in (ROOT / "app").rglob("*.py"))
    events = set(re.findall(r'log\.(?:info|warning|error|exception)\(\s*"(\w+)"', source))
    assert named(section("Logs")) == events


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
    for page in (ROOT / "README.md", *(ROOT / "docs").rglob("*.md")):
        for target in re.findall(r"\]\(([^)#]+)\)", page.read_text()):
            assert target.startswith("http") or (page.parent / target).exists(), (page, target)
