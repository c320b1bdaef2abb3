"""Says why people are left out, in words that follow a count: `862 are not clients`."""

from collections.abc import Mapping

REASONS: Mapping[str, str] = {
    "not_a_client": "are not clients",
    "role_excluded": "have a role that stays out, such as opposing counsel",
    "segment": "are outside the segment of your settings",
    "opt_out": "have opted out in Clio",
    "settings": "are not included by your settings",
    "removed_in_clio": "were removed in Clio",
    "no_name_or_email": "have no name and no email address in Clio",
}


def left_out(reason: str) -> str:
    """Return why people with this reason are left out."""
    return REASONS.get(reason, "are left out for another reason")
