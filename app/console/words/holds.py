"""Holds in words: what waits, and what happens to the people with each decision."""

from collections.abc import Mapping
from dataclasses import dataclass

from app.console.rendering import plural


@dataclass(frozen=True)
class HoldWords:
    """A hold in words: its title, why it waits, and for each decision its button and its consequence."""

    title: str
    why: str
    release: tuple[str, str]
    discard: tuple[str, str]


_PEOPLE = ("person", "people")


def describe(kind: str, n: int) -> HoldWords:
    """Return a hold of a kind with this number of people in words."""
    if kind == "removals":
        return HoldWords(
            f"{plural(n, *_PEOPLE)} would leave Levitate",
            "Many people at once would no longer belong in Levitate. The sync has left them where they are.",
            (
                "Let them leave",
                "They leave Levitate with a sync that starts now. They return when Clio says so.",
            ),
            ("Keep them", "They stay in Levitate until something about them changes in Clio."),
        )
    return HoldWords(
        f"{plural(n, 'new-client automation')} wait{'s' if n == 1 else ''}",
        "These people are in Levitate already. Only their new-client automation waits.",
        ("Start the automations", "The automation starts for them now. This cannot be undone."),
        (
            "Never start them",
            "Nobody of them gets the welcome, now or later. This cannot be undone.",
        ),
    )


KINDS: Mapping[str, str] = {
    "removals": "People who would leave",
    "new_clients": "New-client automations",
    "first_publication": "Review of the first sync",
}
DECIDED: Mapping[str, str] = {"released": "Carried out", "discarded": "Not carried out"}
