"""Names in place of ids, and sentences that have them."""

from collections.abc import Mapping
from typing import Protocol


class Named(Protocol):
    """A person: a contact of the API, or a profile as it is published."""

    @property
    def first_name(self) -> str | None:
        """The first name."""

    @property
    def last_name(self) -> str | None:
        """The last name."""


def person_name(person: Named, otherwise: str = "A person without a name") -> str:
    """Return first and last name, `otherwise` for a person who has neither."""
    return " ".join(part for part in (person.first_name, person.last_name) if part) or otherwise


def sentence(text: str, names: Mapping[str, str]) -> str:
    """Return a detail of this service as a sentence, with names in place of ids of users."""
    for user_id, name in names.items():
        text = text.replace(f"user {user_id} ", f"{name} ")
    return text if text.endswith(".") else f"{text}."
