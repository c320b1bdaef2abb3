"""The search of a dump finds a text in each encoding, wherever it begins [T15]."""

import base64
import json
from urllib.parse import quote, quote_plus

import pytest

from tests.support.dump_search import find

TEXT = "Zoë Fürst-Ôkafor"


def base64_at(offset: int) -> str:
    return base64.b64encode(b"x" * offset + TEXT.encode() + b"tail").decode()


@pytest.mark.parametrize(
    ("stored", "name"),
    [
        (f"before{TEXT}after", "utf-8"),
        (TEXT.casefold(), "utf-8"),
        (json.dumps({"name": TEXT}), "json"),
        (json.dumps({"name": TEXT}).replace("\\", "\\\\"), "json"),
        ("".join(f"\\u{ord(char):04x}" for char in TEXT), "json"),
        *((base64_at(offset), "base64") for offset in range(4)),
        (base64.urlsafe_b64encode(TEXT.encode()).decode(), "base64"),
        ("\\x" + TEXT.encode().hex(), "hex"),
        (TEXT.encode().hex().upper(), "hex"),
        (quote(TEXT), "percent"),
        (quote_plus(TEXT).lower(), "percent"),
        ("".join(f"%{byte:02X}" for byte in TEXT.encode()), "percent"),
    ],
)
def test_each_encoding_is_found(stored: str, name: str):
    assert name in find(f"COPY t (a) FROM stdin;\n1\t{stored}\n".encode(), [TEXT])[TEXT]


def test_what_is_not_there_is_not_found():
    assert find(b"Zoe Furst", [TEXT]) == {}
