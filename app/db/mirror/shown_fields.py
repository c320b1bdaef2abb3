"""Encodes the fields that a login was shown as a short text, because there is one for each record and login.

`f` stands for a full view; then the fields with content as bits of a hexadecimal number, and the ids of custom fields.
"""

from collections.abc import Collection

from app.rules.shown import CUSTOM_VALUE

# The place of a name is its bit in stored rows: add names at the end, and never remove one.
_NAMES = (
    *("name", "first_name", "middle_name", "last_name", "prefix", "title", "date_of_birth"),
    *("is_client", "company_id", "company_name", "emails", "phones", "addresses"),
    *("number", "client_id", "practice_area_id", "practice_area", "practice_area_category"),
    *("stage_id", "stage", "group_id", "group_type", "responsible", "originating"),
    *("open_date", "pending_date", "close_date", "description"),
)


def encode(shown: Collection[str], *, full_view: bool) -> str:
    """Return the text for what was shown."""
    bits = sum(1 << nth for nth, name in enumerate(_NAMES) if name in shown)
    ids = sorted(
        int(name.removeprefix(CUSTOM_VALUE)) for name in shown if name.startswith(CUSTOM_VALUE)
    )
    return " ".join([f"{'f' if full_view else ''}:{bits:x}", *map(str, ids)])


def decode(text: str) -> tuple[frozenset[str], bool]:
    """Return what was shown, and whether the view was full."""
    first, *ids = text.split(" ")
    full, _, bits = first.partition(":")
    names = [name for nth, name in enumerate(_NAMES) if int(bits, 16) >> nth & 1]
    return frozenset([*names, *(f"{CUSTOM_VALUE}{one}" for one in ids)]), full == "f"
