"""The rules: which contacts belong in Levitate, with which tags, owner and key facts, and what changed.

Everything here is pure: no I/O, no clock, no framework. Input is in `facts`, `records` and `settings`, output in
`results`. Other folders use `assess`, `view`, `diff` and the three merge functions, and from the modules:
`new_clients` (status of new clients), `attorneys.map_attorneys`, `matching`, `scope.role_pattern`, `settings_check`,
`shown`, `texts`, `record_versions` and `version.VERSION` of the rules.
"""

from app.rules.assess import assess
from app.rules.diff import diff, view
from app.rules.merge import merge_contact, merge_matter, merge_relationship

__all__ = ["assess", "diff", "merge_contact", "merge_matter", "merge_relationship", "view"]
