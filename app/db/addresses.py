"""The variables with the addresses of the database, and the note at a failure which of them did not work."""

from app.errors import DatabaseUnavailable

URL = "LEVITATE_CLIO_DATABASE_URL"
DIRECT_URL = "LEVITATE_CLIO_DIRECT_DATABASE_URL"
SYSTEM_URL = "LEVITATE_CLIO_SYSTEM_DATABASE_URL"
OWNER_URL = "LEVITATE_CLIO_MIGRATE_DATABASE_URL"


def name_variable(failure: DatabaseUnavailable, variable: str) -> None:
    """Note which address did not work, unless that is known."""
    if not getattr(failure, "__notes__", ()):
        failure.add_note(variable)


def named_variable(failure: DatabaseUnavailable) -> str:
    """Return the variable of the address that did not work: that of the accounts if none was noted."""
    return next(iter(getattr(failure, "__notes__", ())), URL)
