"""Copies of the working tree, so that the tree itself is never changed."""

import hashlib
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

# folders that affect neither the lines that a test runs nor its duration
IGNORED = ("docs/", "tests/mutants/")
# seconds; Python compiles a file again if its modification time or size has changed
MTIME_OFFSET = 10


def copy(tree: Path, folder: Path) -> None:
    """Clone a repository and copy its uncommitted changes; ignored files are not copied."""
    _git(tree, "clone", "--quiet", "--shared", str(tree), str(folder))
    changed = _names(tree, "diff", "--name-only", "--no-renames", "HEAD")
    for name in [*changed, *_names(tree, "ls-files", "--others", "--exclude-standard")]:
        if (tree / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(tree / name, folder / name)
        else:
            (folder / name).unlink(missing_ok=True)


def duplicate(folder: Path, other: Path) -> None:
    """Duplicate a copy together with its compiled files."""
    shutil.copytree(folder, other, symlinks=True)


def digest(folder: Path) -> str:
    """Return a digest of all files that affect which test runs which line."""
    sha = hashlib.sha256()
    for name in sorted(_names(folder, "ls-files", "--cached", "--others", "--exclude-standard")):
        if not name.startswith(IGNORED) and not name.endswith(".md") and (folder / name).is_file():
            sha.update(name.encode() + b"\0" + (folder / name).read_bytes() + b"\0")
    return sha.hexdigest()[:16]


def revision(tree: Path) -> str:
    """Return a name of the commit, with `-dirty` if there are uncommitted changes."""
    return _git(tree, "describe", "--always", "--dirty").strip()


@contextmanager
def temporary_content(path: Path, text: bytes) -> Iterator[None]:
    """Replace the text of a file until the block ends; then its compiled file is valid again."""
    before, times = path.read_bytes(), path.stat()
    path.write_bytes(text)
    os.utime(path, (times.st_atime, times.st_mtime + MTIME_OFFSET))
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
