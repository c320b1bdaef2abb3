"""Creating and changing notes and communications. A `WritableSpec` describes one kind.

Clio sets the author: the user of the access token.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from app.simulator.store.firm import Firm, Record
from app.simulator.store.value_checks import Check, invalid

_REFERENCES = frozenset({"contact", "matter"})  # stored as `contact_id` and `matter_id`


@dataclass(frozen=True)
class WritableSpec:
    """The attributes of one kind that may be written, must be given, and may be changed later."""

    kind: str
    checks: Mapping[str, Check]
    required: frozenset[str]
    changeable: frozenset[str]
    author_field: str
    complete: Callable[[Record], Record]


def create(spec: WritableSpec, firm: Firm, user_id: int, data: Mapping[str, Any]) -> Record:
    """Store a new record and return it; raises Refusal."""
    values = _checked(spec, firm, user_id, data, frozenset(spec.checks))
    if missing := sorted(spec.required - data.keys()):
        raise invalid(f"{missing[0]} is required")
    record = spec.complete(values)
    new_id = firm.next_id(spec.kind)
    return firm.put(spec.kind, {**record, "id": new_id, spec.author_field: user_id})


def change(
    spec: WritableSpec, firm: Firm, user_id: int, record_id: int, data: Mapping[str, Any]
) -> Record:
    """Change a record and return it; raises Refusal."""
    values = _checked(spec, firm, user_id, data, spec.changeable)
    return firm.put(spec.kind, {**values, "id": record_id})


def _checked(
    spec: WritableSpec, firm: Firm, user_id: int, data: Mapping[str, Any], names: frozenset[str]
) -> Record:
    if unknown := sorted(data.keys() - names):
        raise invalid(f"{unknown[0]} is not a valid attribute")
    return {
        f"{name}_id" if name in _REFERENCES else name: spec.checks[name](firm, user_id, value)
        for name, value in data.items()
    }
