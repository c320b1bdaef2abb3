"""The wheel of the service has no demonstration and no simulator; the extra `demo` brings them.

These are the steps of the `Dockerfile`, without its network: what is built there is built and installed here.
"""

import re
import subprocess
import sys
import sysconfig
import tomllib
from pathlib import Path
from zipfile import ZipFile

import pytest

ROOT = Path(__file__).parents[3]
MISSING = "The demonstration and the simulator are not installed; install levitate-clio[demo]"


def built(folder: Path, target: Path) -> Path:
    """Build the wheel of a project as the Dockerfile does; return its file."""
    command: list[str | Path] = [
        sys.executable,
        "-m",
        "hatchling",
        "build",
        "--target",
        "wheel",
        "--directory",
        target,
    ]
    subprocess.run(command, cwd=folder, check=True, capture_output=True)
    (wheel,) = target.glob("*.whl")
    return wheel


@pytest.fixture(scope="module")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The wheels of the service and of its demonstration."""
    service, demo = (tmp_path_factory.mktemp(name) for name in ("service", "demo"))
    return built(ROOT, service), built(ROOT / "demo", demo)


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A folder with a Python environment of its own, which has our dependencies and not the checkout."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path / "venv"], check=True)
    (packages,) = (tmp_path / "venv" / "lib").glob("python*/site-packages")
    (packages / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return tmp_path


def install(place: Path, *wheels: Path) -> None:
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check"]
    there: list[str | Path] = ["--python", place / "venv/bin/python", "install"]
    # `--ignore-installed`: the checkout is among the dependencies by its metadata
    options = ["--quiet", "--no-index", "--no-deps", "--ignore-installed"]
    subprocess.run([*pip, *there, *options, *wheels], check=True, cwd=place)


def run(place: Path, *args: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    program = place / "venv/bin/levitate-clio"
    return subprocess.run(
        [program, *args], cwd=place, capture_output=True, text=True, check=False, env=environment
    )


def names(wheel: Path) -> set[str]:
    return {name for name in ZipFile(wheel).namelist() if ".dist-info/" not in name}


def test_each_module_is_in_exactly_one_wheel(wheels: tuple[Path, Path]):
    service, demo = map(names, wheels)
    there = {str(path.relative_to(ROOT)) for path in (ROOT / "app").rglob("*.py")}
    assert service & demo == set()
    assert {
        name for name in service | demo if name.startswith("app/") and name.endswith(".py")
    } == there
    assert {name for name in there if name.startswith(("app/demo/", "app/simulator/"))} == {
        name for name in demo if name.endswith(".py")
    }
    assert not [name for name in service | demo if name.startswith("tests/")]
    assert "migrations/env.py" in service


def test_without_the_extra_the_service_runs_and_says_what_to_install(
    wheels: tuple[Path, Path], place: Path
):
    install(place, wheels[0])
    for command in ("demo", "simulator"):
        ended = run(place, command)
        assert (ended.returncode, ended.stdout, ended.stderr.splitlines()) == (2, "", [MISSING])
    away = {"LEVITATE_CLIO_DATABASE_URL": "postgresql://nobody@127.0.0.1:9/none"}
    ended = run(place, "migrate", **away)
    assert "it cannot be reached" in ended.stderr
    assert run(place, "serve", "--help").returncode == 0
    missing = "import app.main, app.db.migrate as m; assert m._revisions()[0]; import app.simulator"
    imported = subprocess.run(
        [place / "venv/bin/python", "-c", missing],
        cwd=place,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (
        imported.stderr.splitlines()[-1] == "ModuleNotFoundError: No module named 'app.simulator'"
    )


def test_with_the_extra_the_demonstration_and_the_simulator_are_there(
    wheels: tuple[Path, Path], place: Path
):
    install(place, *wheels)
    found = "import app.demo.walkthrough, app.simulator.http.server, sys; print(app.__file__)"
    shown = subprocess.run(
        [place / "venv/bin/python", "-c", found],
        cwd=place,
        capture_output=True,
        text=True,
        check=True,
    )
    assert Path(shown.stdout.strip()).is_relative_to(place)


def test_the_extra_and_both_projects_have_the_same_version():
    service = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    demo = tomllib.loads((ROOT / "demo" / "pyproject.toml").read_text())["project"]
    assert demo["version"] == service["version"]
    assert f"{demo['name']}=={service['version']}" in service["optional-dependencies"]["demo"]
    assert demo["dependencies"] == [f"{service['name']}=={service['version']}"]


def test_the_image_gets_the_service_only_from_the_wheel_and_all_else_from_hashed_locks():
    stages = re.split(r"^FROM ", (ROOT / "Dockerfile").read_text(), flags=re.MULTILINE)[1:]
    build, service = stages
    assert build.startswith("${BASE} AS build\n"), "an operator can name the digest of both"
    assert service.startswith("${BASE} AS service\n")
    assert service.splitlines()[0].endswith(" AS service")
    assert re.findall(r"^COPY (.*)", service, flags=re.MULTILINE) == ["requirements-run.lock ./"]
    for stage in (build, service):
        for line in re.findall(r"pip install(?:[^\\\n]|\\\n)*", stage):
            assert "--require-hashes" in line or "--no-index" in line, line
    assert "hatchling build --target wheel" in build


def test_what_builds_the_wheel_is_locked_with_the_hashes_of_the_checked_environment():
    def locked(name: str) -> dict[str, str]:
        text = (ROOT / name).read_text()
        return dict(
            re.findall(
                r"^(\S+==\S+)[^\n]*\\\n((?: +--hash=\S+(?: \\)?\n)+)", text + "\n", re.MULTILINE
            )
        )

    build, dev = locked("requirements-build.lock"), locked("requirements-dev.lock")
    assert [name for name in build if name.startswith("hatchling==")]
    for name, hashes in build.items():
        assert dev[name].split() == hashes.split(), name
