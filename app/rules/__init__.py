"""The firm's judgement: who belongs in Levitate, with which tags, owner and key facts, and what changed.

Pure: no I/O, no clock, no framework. What goes in and out is in `facts`.
"""

from app.rules.assess import assess
from app.rules.diff import diff, view
from app.rules.merge import merge_contact, merge_matter, merge_relationship

__all__ = ["assess", "diff", "merge_contact", "merge_matter", "merge_relationship", "view"]
