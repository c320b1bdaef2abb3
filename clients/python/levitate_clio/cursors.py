"""Where a follower keeps its place: any object with `load` and `save`, or a file."""

import os
import tempfile
from pathlib import Path
from typing import Protocol


class CursorStore(Protocol):
    """Keeps one cursor. Use one store for each feed that is followed."""

    def load(self) -> str | None:
        """Return what was saved last, or None to begin at the beginning."""
        ...

    def save(self, cursor: str) -> None:
        """Keep the cursor. It must survive the end of the process when this returns."""
        ...


class FileCursorStore:
    """Keeps a cursor in a file. A crash leaves the old cursor or the new one, never a part."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self._path = Path(path)

    def load(self) -> str | None:
        """Return what was saved last, or None if there is no file."""
        try:
            return self._path.read_text("utf-8") or None
        except FileNotFoundError:
            return None

    def save(self, cursor: str) -> None:
        """Write a new file, and put it in the place of the old one when it is on the disk."""
        folder = self._path.parent
        handle, name = tempfile.mkstemp(dir=folder, prefix=f".{self._path.name}.")
        try:
            with open(handle, "w", encoding="utf-8") as file:
                file.write(cursor)
                file.flush()
                os.fsync(file.fileno())
            os.replace(name, self._path)
        except BaseException:
            os.unlink(name)
            raise
        _sync_folder(folder)


def _sync_folder(folder: Path) -> None:
    """Put the new name on the disk, where the system can: Windows cannot open folders."""
    if os.name == "nt":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
