"""Write-back: accept an activity, send it to Clio, decide on its outcome, verify it a day later (docs/writeback.md).

Other folders use the names listed in `__all__`. Reading Clio for the mirror does not belong here.
"""

from app.sync.writeback.accept import (
    ActivityRequest,
    ContactMismatch,
    accept_activity,
    format_text,
)
from app.sync.writeback.slice import write_back
from app.sync.writeback.verify import maintain_outbox

__all__ = [
    "ActivityRequest",
    "ContactMismatch",
    "accept_activity",
    "format_text",
    "maintain_outbox",
    "write_back",
]
