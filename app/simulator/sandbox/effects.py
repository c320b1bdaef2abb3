"""What an action is and what came of it, with what the API of the service shows afterwards."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from app.simulator.sandbox.scene import Scene

Ids = Mapping[str, str | list[str]]  # Clio ids by the names that the API of the sandbox uses
Given = Mapping[str, int]

ACCOUNT = "/v1/accounts/{account_id}"


@dataclass(frozen=True)
class Shown:
    """One thing that the API of the service shows afterwards: at an endpoint, as an event, or as an issue."""

    what: str
    endpoint: str = ""
    event: str = ""
    issue: str = ""

    def filled(self, ids: Ids) -> "Shown":
        """Return it with the Clio ids of what was done; `{account_id}` is the service's own and stays."""
        endpoint = self.endpoint
        for name, value in ids.items():
            if isinstance(value, str):
                endpoint = endpoint.replace(f"{{{name}}}", value)
        return replace(self, endpoint=endpoint)

    def document(self) -> dict[str, str]:
        """Return it as JSON, without what does not apply."""
        parts = {"endpoint": self.endpoint, "event": self.event, "issue": self.issue}
        return {**{name: text for name, text in parts.items() if text}, "what": self.what}


def shown_by_run(kind: str, what: str = "") -> Shown:
    """Return how to see it at once: by a run. What Clio's webhooks report, the service also reads by itself."""
    text = f'Start a run with {{"kind": "{kind}"}} and an Idempotency-Key, and wait for its end.'
    return Shown(f"{text} {what}".strip(), endpoint=f"POST {ACCOUNT}/runs")


@dataclass(frozen=True)
class Outcome:
    """What an action has done: a sentence, and the Clio ids of the records."""

    done: str
    ids: Ids


@dataclass(frozen=True)
class Parameter:
    """An optional whole number that an action takes, with its bounds, and what it means."""

    name: str
    label: str
    most: int
    default: int | None = None

    def document(self) -> dict[str, Any]:
        """Return it as JSON."""
        return {
            "name": self.name,
            "description": self.label,
            "minimum": 1,
            "maximum": self.most,
            "default": self.default,
        }


def clio_id(name: str, label: str) -> Parameter:
    """Return a parameter that is a Clio id."""
    return Parameter(name, label, most=2**63 - 1)


@dataclass(frozen=True)
class Action:
    """Something that can be done to the firm.

    `find` chooses on whom, and raises NotPossible if there is nobody; `perform` does it.
    """

    id: str
    title: str
    does: str
    shows: tuple[Shown, ...]
    perform: Callable[[Scene, Given], Outcome]
    find: Callable[[Scene, Given], object] = lambda _scene, _given: None
    parameters: tuple[Parameter, ...] = ()
