"""The assessment of a contact that left Clio or that no connected user can see any more [S1, S4, S6]."""

from app.rules.facts import Departed
from app.rules.results import Assessment, Profile, Scope

REMOVED = "removed_in_clio"  # Clio has confirmed that the contact no longer exists
NOT_VISIBLE = "not_visible"  # its last viewer disconnected more than 30 days ago

_DETAILS = {
    REMOVED: "This contact no longer exists in Clio",
    NOT_VISIBLE: "The last user who could see this contact disconnected more than 30 days ago",
}


def assess_departed(departed: Departed) -> Assessment:
    """Return the assessment of a departed contact: out of scope, with the reason.

    A possible merge is only a hint, because Clio does not record merges.
    """
    detail = _DETAILS[departed.reason]
    if departed.merged_into is not None:
        detail += (
            f". Contact {departed.merged_into} looks the same and took its place, so the two contacts were probably"
            " merged in Clio"
        )
    scope = Scope(False, "gone", detail, departed.reason)
    return Assessment(scope, Profile(), merged_into=departed.merged_into)
