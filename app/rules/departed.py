"""What the rules say of a contact that left Clio, or that nobody who is connected may see any more [S1, S4, S6]."""

from app.rules.facts import Departed
from app.rules.results import Assessment, Profile, Scope

REMOVED = "removed_in_clio"  # proven: Clio has it no longer
NOT_VISIBLE = "not_visible"  # its last viewer left too long ago

_DETAILS = {
    REMOVED: "Clio no longer has this contact",
    NOT_VISIBLE: "The last user who saw this contact disconnected more than 30 days ago",
}


def assess_departed(found: Departed) -> Assessment:
    """Out, with the reason; who took its place is told as a hint, for Clio leaves no trace of a merge."""
    detail = _DETAILS[found.reason]
    if found.merged_into is not None:
        detail += f"; contact {found.merged_into} looks the same and took over its matters, so it may be merged"
    return Assessment(Scope(False, "gone", detail, found.reason), Profile())
