"""The health of a firm's integration in one sentence, with the sentence that explains it."""

from collections.abc import Mapping
from dataclasses import dataclass

from app.console.rendering import plural

STATES: Mapping[str, tuple[str, str]] = {  # the kind of state, and its word
    "ok": ("ok", "Works"),
    "degraded": ("warn", "Works in part"),
    "needs_attention": ("bad", "Needs attention"),
    "disabled": ("off", "Switched off"),
}
NO_LOGIN = "no_working_login"


@dataclass(frozen=True)
class HealthSentence:
    """The sentence, and the kind of state: ok, warn, bad or off."""

    kind: str
    text: str


def sentence(health: str, codes: list[str], todos: int, *, ever_connected: bool) -> HealthSentence:
    """Return the health in a sentence; `todos` is how much a person should do."""
    kind, _ = STATES.get(health, ("warn", ""))
    need = "1 thing needs you" if todos == 1 else f"{todos} things need you"
    if health == "disabled":
        return HealthSentence(kind, "The integration is switched off.")
    if not ever_connected:
        return HealthSentence("off", "Nobody has connected Clio yet.")
    if NO_LOGIN in codes:
        return HealthSentence(kind, "The sync stands still: no Clio login works.")
    if not todos:
        text = "Everything works. Nothing needs you." if kind == "ok" else "The sync works in part."
        return HealthSentence(kind, text)
    texts = {
        "ok": f"The sync works. {plural(todos, 'thing')} can be improved.",
        "warn": f"The sync works, but {need}.",
    }
    return HealthSentence(kind, texts.get(kind, f"The sync cannot go on by itself, and {need}."))
