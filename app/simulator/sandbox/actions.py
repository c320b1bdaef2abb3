"""The list of the actions, and how one is done: its parameters are read, it is performed, the result is described."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from app.simulator.sandbox.clients import MERGE, NEW_CLIENT, SURGE
from app.simulator.sandbox.effects import Action, Given, Parameter, Shown
from app.simulator.sandbox.failures import END, OUTAGE, RATE_LIMIT, REVOKE
from app.simulator.sandbox.matters import CLOSE, RESTRICT
from app.simulator.sandbox.problems import InvalidParameter, NotPossible, UnknownAction
from app.simulator.sandbox.scene import Scene

ACTIONS = (NEW_CLIENT, MERGE, CLOSE, RESTRICT, REVOKE, RATE_LIMIT, OUTAGE, SURGE, END)
_BY_ID = {action.id: action for action in ACTIONS}


@dataclass(frozen=True)
class Done:
    """What was done, with the Clio ids of the records, and what the API of the service shows afterwards."""

    done: str
    ids: Mapping[str, str | list[str]]
    shows: tuple[Shown, ...]

    def document(self) -> dict[str, Any]:
        """Return it as JSON."""
        shows = [shown.document() for shown in self.shows]
        return {"done": self.done, "ids": dict(self.ids), "shows": shows}


def find_action(action_id: str) -> Action:
    """Return an action; raises UnknownAction."""
    if action_id not in _BY_ID:
        raise UnknownAction(f"The actions are {', '.join(_BY_ID)}.")
    return _BY_ID[action_id]


def perform(scene: Scene, action: Action, given: Given) -> Done:
    """Do an action; raises NotPossible."""
    outcome = action.perform(scene, given)
    shows = tuple(shown.filled(outcome.ids) for shown in action.shows)
    return Done(outcome.done, outcome.ids, shows)


def why_not(scene: Scene, action: Action) -> str | None:
    """Return why an action cannot be done without parameters; None if it can."""
    try:
        action.find(scene, {})
    except NotPossible as problem:
        return problem.detail
    return None


def describe(scene: Scene, action: Action) -> dict[str, Any]:
    """Return an action as JSON."""
    reason = why_not(scene, action)
    return {
        "id": action.id,
        "title": action.title,
        "does": action.does,
        "parameters": [parameter.document() for parameter in action.parameters],
        "shows": [shown.document() for shown in action.shows],
        "possible": reason is None,
        "why_not": reason,
    }


def read_parameters(action: Action, sent: Mapping[str, Any]) -> dict[str, int]:
    """Return the parameters of an action with their defaults; raises InvalidParameter."""
    known = {parameter.name: parameter for parameter in action.parameters}
    if unknown := sorted(sent.keys() - known.keys()):
        takes = ", ".join(["firm", *known])
        raise InvalidParameter(f"`{unknown[0][:50]}` is unknown; {action.id} takes {takes}.")
    given = {name: p.default for name, p in known.items() if p.default is not None}
    for name, value in sent.items():
        if value not in (None, ""):
            given[name] = read_number(known[name], value)
    return given


def read_number(parameter: Parameter, value: Any) -> int:
    """Return the value of a parameter, which may be a text as in the API of the service; raises InvalidParameter."""
    if isinstance(value, str) and value.isascii() and value.isdecimal() and len(value) < 20:
        value = int(value)
    if type(value) is not int or not 1 <= value <= parameter.most:
        raise InvalidParameter(
            f"`{parameter.name}` must be a whole number from 1 to {parameter.most}: {parameter.label}."
        )
    return value
