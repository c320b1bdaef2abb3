"""Checks of the project's own code rules (docs/architecture.md)."""

import ast
import importlib.util
import subprocess
from pathlib import Path

import httpx
import pytest
from sqlalchemy.exc import SQLAlchemyError

from app.clio import errors as clio_errors
from app.clio.oauth import ClioOAuth
from app.clio.regions import ClioApp, Region
from app.errors import AppError

ROOT = Path(__file__).parents[3]
APP = sorted((ROOT / "app").rglob("*.py"))
LONGEST_FILE, LONGEST_FUNCTION = 330, 40
INDEX_HOSTS = ("pypi" + ".org", "files.python" + "hosted", "/sim" + "ple/")


def tracked() -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return [ROOT / name for name in listed.stdout.splitlines() if (ROOT / name).is_file()]


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", APP, ids=name_of)
def test_files_and_functions_are_short(path: Path):
    text = path.read_text()
    if path.name != "tables.py":  # it has all tables in one place
        assert text.count("\n") <= LONGEST_FILE
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = (node.end_lineno or 0) - node.lineno
            assert length <= LONGEST_FUNCTION, f"{node.name} has {length} lines"


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


def test_the_successor_of_httpx_is_absent_so_that_tests_never_reach_the_network():
    assert importlib.util.find_spec("httpx2") is None
    app = ClioApp(Region.US, "https://app.clio.com", "id", "secret")
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
