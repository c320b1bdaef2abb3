"""docs/issues.md lists exactly the issue codes of the code, with their severities."""

import re
from pathlib import Path

from app.db.issues import SEVERITIES

PAGE = Path(__file__).parents[3] / "docs" / "issues.md"


def test_the_page_lists_exactly_the_issue_codes_with_their_severities():
    rows = re.findall(r"^\| `(\w+)` \| (\w+) \|", PAGE.read_text(), flags=re.MULTILINE)
    assert dict(rows) == dict(SEVERITIES)
