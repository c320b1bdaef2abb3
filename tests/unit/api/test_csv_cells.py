"""No cell of a CSV file begins like a formula (T11, OWASP CSV injection)."""

import csv
import io

import pytest

from app.api.run_reports import _cell, _csv_line

SIGNS = ["=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠"]
FORMULAS = [
    'HYPERLINK("https://evil.test","x")', "1+1", "", '"', ",", ";", "\n",
    "cmd|'/C calc'!A0", "SUM(1+1)*cmd|' /C calc'!A0",
]  # fmt: skip


@pytest.mark.parametrize("sign", SIGNS)
@pytest.mark.parametrize("before", ["", " ", "\t", "\u00a0", "\r\n", "\u200b"])
def test_a_spreadsheet_reads_every_cell_as_text(sign: str, before: str):
    cells = [f"{before}{sign}{formula}" for formula in FORMULAS]
    (row,) = csv.reader(io.StringIO(_csv_line([_cell(cell) for cell in cells]), newline=""))
    assert len(row) == len(cells), "no text ends its cell"
    for cell, original in zip(row, cells, strict=True):
        seen = cell.lstrip(" \t\r\n\u00a0\u200b\ufeff")
        assert not seen or seen[0] not in SIGNS, original
        assert cell.endswith(original), "nothing is lost"
