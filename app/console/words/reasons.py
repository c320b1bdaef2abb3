"""Says why a firm is not well, in one short sentence for the list of all firms.

It names nobody: names are on the firm's own overview.
"""

from collections.abc import Mapping

from app.api import schemas

REASONS: Mapping[str, str] = {
    "disabled": "Switched off.",
    "no_working_login": "No Clio login works, so nothing is read. A user must connect.",
    "needs_reconnect": "A user must connect Clio again.",
    "deauthorization_failed": "Clio could not be told that a login has ended.",
    "sync_overdue": "No sync has finished since two scheduled times.",
    "coverage_lost": "Some people and matters are seen by no login that works.",
    "clio_api_version_gone": "Clio has changed, and this service must be updated.",
    "clio_misconfigured": "Clio refuses this service’s registration.",
    "run_failed": "The last sync stopped.",
    "clio_outage": "Clio does not answer for this firm.",
    "login_set_aside": "A login could not be read, and the sync ended without it.",
    "clio_forbidden": "A login may not read a list in Clio.",
    "clio_field_unknown": "Clio no longer knows a field.",
    "relationship_list_capped": "Not all relationships could be read.",
    "record_quarantined": "Some records in Clio could not be read.",
    "value_unreadable": "Some values in Clio could not be read.",
    "listing_shrank": "A list in Clio was much shorter than before. Nothing was removed.",
    "shrink_held": "Many people would leave Levitate. The sync waits for a decision.",
    "new_client_surge": "Many new clients appeared at once. Their automations wait for a decision.",
    "new_clients_held": "New-client automations wait for a decision.",
    "first_publication_held": "The first sync is read and waits for a review.",
    "primary_user_missing": "The Primary Levitate User is missing.",
    "setting_refers_to_missing_field": "A custom field that the settings use no longer exists in Clio.",
    "activity_user_unknown": "Activities wait for a user whom Levitate does not list.",
    "webhook_endpoint_disabled": "Levitate does not receive events of this firm any more.",
}
SHOWN = 2


def why(firm: schemas.ListedAccount) -> str:
    """Return why a firm is not well, or that nothing is to do."""
    texts = [REASONS.get(one.code, f"{one.detail}.") for one in firm.health_reasons]
    if not texts:
        return "Nothing to do." if firm.health == "ok" else "New, or about to be looked at."
    rest = len(texts) - SHOWN
    return " ".join(texts[:SHOWN]) + (f" And {rest} more." if rest > 0 else "")
