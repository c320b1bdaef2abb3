"""Refuses query parameters that an operation does not know: a mistyped filter must not return everything.

It holds for operations below `/v1`. Pages, Clio's webhooks and the operators' addresses ignore what they do not know.
"""

from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qsl

from fastapi import Request
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from pydantic import BaseModel

from app.api.authentication import PROTECTED
from app.errors import AppError

_known: dict[
    str, frozenset[str]
] = {}  # the names of the parameters by operation, which do not change
LONGEST_NAME = 40  # characters of a parameter's name that the response repeats


class UnknownParameter(AppError):
    """The query has a parameter that the operation does not know."""

    status = 422
    code = "unknown_parameter"
    title = "The query has a parameter that this operation does not know"
    next_step = "leave it out, or correct its name"


async def check_parameters(request: Request) -> None:
    """Raise UnknownParameter for the first query parameter that the operation does not know."""
    route = request.scope["route"]
    if not route.path.startswith(PROTECTED):
        return
    known = _known.get(route.name) or _known.setdefault(route.name, _known_parameters(route))
    query = request.scope["query_string"].decode("latin-1")
    for name, _ in parse_qsl(query, keep_blank_values=True):
        if name not in known:
            raise UnknownParameter(_detail(name, known))


def _known_parameters(route: APIRoute) -> frozenset[str]:
    fields = list(_query_fields(route.dependant))
    names = {field.alias for field in fields}
    for field in fields:
        model = field.field_info.annotation
        if isinstance(model, type) and issubclass(model, BaseModel):
            names |= model.model_fields.keys()
    return frozenset(names)


def _query_fields(dependant: Dependant) -> Iterator[Any]:
    yield from dependant.query_params
    for one in dependant.dependencies:
        yield from _query_fields(one)


def _detail(name: str, known: frozenset[str]) -> str:
    shown = name if name.isprintable() and len(name) <= LONGEST_NAME else "…"
    if not known:
        return f"The parameter {shown} is unknown: this operation has no query parameters; leave it out"
    names = ", ".join(sorted(known))
    return f"The parameter {shown} is unknown; leave it out, or send one of these: {names}"
