"""Every issue code is in the documents, and every documented one is in the code."""

import re
from pathlib import Path

from app.db.issues import SEVERITIES

DOCUMENT = Path(__file__).parents[3] / "docs" / "issues.md"


def test_the_documents_list_every_issue_code_with_its_severity():
    rows = re.findall(r"^\| `(\w+)` \| (\w+) \|", DOCUMENT.read_text(), flags=re.MULTILINE)
    assert dict(rows) == dict(SEVERITIES)
