"""Every error of the API says what to do: its title, which is also its detail if there is no better one, has advice."""

import importlib
import pkgutil
import re
from collections.abc import Iterator

import app
from app.api import problems, webhook_endpoints
from app.errors import AppError
from app.sync.events import retries

# What is wrong, then what to do; or the advice alone.
ADVICE = re.compile(r"(; |\. |: |, and ).{4,}|^Send |must be one of|needs Levitate-Role")


def all_errors(kind: type[AppError] = AppError) -> Iterator[type[AppError]]:
    for child in kind.__subclasses__():
        yield child
        yield from all_errors(child)


def test_every_error_says_what_to_do():
    for module in pkgutil.walk_packages(app.__path__, "app."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    titles = {kind.code: kind.title for kind in all_errors() if kind.__module__.startswith("app.")}
    titles |= dict(problems._HTTP_ERRORS.values())
    titles |= webhook_endpoints._PROBLEMS
    titles |= {one.code: one.detail for one in (retries.GONE, retries.FAILING)}
    assert len(titles) > 55
    silent = [f"{code}: {title}" for code, title in titles.items() if not ADVICE.search(title)]
    assert not silent, "\n".join(["these do not say what to do:", *silent])


def test_what_pydantic_says_becomes_advice():
    said = {
        "Field required": "is missing; send it",
        "Extra inputs are not permitted": "is not known here; leave it out",
        "Input should be a valid boolean": "must be a valid boolean",
        "Value error, must be one": "must be one",
    }
    assert {message: problems._advice(message) for message in said} == said
