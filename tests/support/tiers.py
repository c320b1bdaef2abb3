"""The tiers of the test suite, by folder. The Makefile runs the same folders. Every test belongs to exactly one tier.

`make nightly` has no tests of its own: it runs the programs of the wide tier at full size.
"""

from pathlib import PurePath

TIERS = {
    "fast": ("unit", "rules", "contract"),  # no database, no process: make test-fast
    "standard": (
        "integration",
        "e2e",
    ),  # Python and PostgreSQL: make test, which runs the fast ones too
    "wide": ("wide",),  # processes, kills, generated requests: make test-wide
}


def tiers_of(path: str) -> list[str]:
    """Return the tiers to which a test file belongs, by its path below `tests/`; exactly one for a valid path."""
    folder = PurePath(path).parts[0]
    return [tier for tier, folders in TIERS.items() if folder in folders]
