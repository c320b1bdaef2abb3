"""Activities in words: their kinds, whether they are in Clio, and who can help where they are not."""

from collections.abc import Mapping

KINDS: Mapping[str, str] = {
    "email": "Email",
    "note": "Note",
    "phone_call": "Phone call",
    "text_message": "Text message",
    "handwritten_card": "Handwritten card",
}
STATES: Mapping[str, tuple[str, str]] = {
    "written": ("ok", "In Clio"),
    "queued": ("wait", "Waiting"),
    "sending": ("wait", "Being written"),
    "blocked": ("warn", "Blocked"),
    "failed": ("bad", "Failed"),
    "skipped": ("off", "Not written"),
    "cancelled": ("off", "Cancelled"),
}
REASONS: Mapping[str, str] = {
    "disabled_by_settings": "The settings do not write this kind to Clio.",
    "not_linked": "This contact does not come from Clio.",
    "needs_connection": "{user} must connect Clio. Then it is written by itself.",
    "user_unknown": "Levitate does not list {user} for this firm. It is written when it does.",
    "contact_gone": "The contact no longer exists in Clio.",
    "no_access": "{user} may not write to this contact in Clio.",
    "refused_by_clio": "Clio refused it.",
    "removed_in_clio": "Somebody removed it in Clio.",
    "waiting_for_clio": "Clio did not answer. It is tried again.",
    "checking_in_clio": "It is checked whether Clio has it already.",
    "sent_unverified": "It was sent, and Clio did not confirm it.",
    "unconfirmed": "Clio did not confirm it.",
    "doubled_in_clio": "It is in Clio more than once. Remove the copies there.",
    "missing_in_clio": "It was written, but a day later Clio did not have it.",
    "internal_error": "Something failed on our side.",
}


def reason(code: str | None, user: str) -> str:
    """Return why an activity is where it is, and who can help."""
    return REASONS.get(code, "Clio has not accepted it.").replace("{user}", user) if code else ""
