"""Copies of the working tree: whatever is changed, it is changed in a copy."""

import hashlib
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

UNREAD = (
    "docs/",
    "tests/mutants/",
)  # what decides neither which lines a test runs nor how long it takes
LATER = 10  # seconds; a compiled file is valid for one time of change and one size of its source


def copy(tree: Path, folder: Path) -> None:
    """Clone a repository and lay over it what is not committed; ignored files stay behind."""
    _git(tree, "clone", "--quiet", "--shared", str(tree), str(folder))
    changed = _names(tree, "diff", "--name-only", "--no-renames", "HEAD")
    for name in [*changed, *_names(tree, "ls-files", "--others", "--exclude-standard")]:
        if (tree / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(tree / name, folder / name)
        else:
            (folder / name).unlink(missing_ok=True)


def again(folder: Path, other: Path) -> None:
    """Copy a copy with its compiled files."""
    shutil.copytree(folder, other, symlinks=True)


def digest(folder: Path) -> str:
    """Return a digest of all files that decide which test runs which line: the same for the same code."""
    found = hashlib.sha256()
    for name in sorted(_names(folder, "ls-files", "--cached", "--others", "--exclude-standard")):
        if not name.startswith(UNREAD) and not name.endswith(".md") and (folder / name).is_file():
            found.update(name.encode() + b"\0" + (folder / name).read_bytes() + b"\0")
    return found.hexdigest()[:16]


def revision(tree: Path) -> str:
    """Return a name of the commit, and whether there is more than it."""
    return _git(tree, "describe", "--always", "--dirty").strip()


@contextmanager
def written(path: Path, text: bytes) -> Iterator[None]:
    """Put another text into a file until the block ends; files that were compiled before it are valid after it."""
    before, times = path.read_bytes(), path.stat()
    path.write_bytes(text)
    os.utime(path, (times.st_atime, times.st_mtime + LATER))
    try:
        yield
    finally:
        path.write_bytes(before)
        os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))


def _names(tree: Path, *arguments: str) -> list[str]:
    return [name for name in _git(tree, *arguments, "-z").split("\0") if name]


def _git(tree: Path, *arguments: str) -> str:
    return subprocess.run(
        ["git", *arguments], cwd=tree, check=True, capture_output=True, text=True
    ).stdout
