"""Pages for people: the connecting of a Clio login, errors in words, and the page of the API for developers.

Each page works as plain HTML, without a script, except for that of the API. JSON for programs is in `app/api`;
decisions are in `app/sync`.
"""

from typing import Any

from fastapi import FastAPI, Response
from fastapi.staticfiles import StaticFiles
from typing_extensions import override

from app.pages import api_docs, connecting


class _PublicFiles(StaticFiles):
    """Files without personal data, which browsers may keep."""

    @override
    def file_response(self, *args: Any, **options: Any) -> Response:
        response = super().file_response(*args, **options)
        response.headers["Cache-Control"] = "public, max-age=3600"
        return response


def install(app: FastAPI) -> None:
    """Add the pages and their stylesheet to the application."""
    app.include_router(connecting.router)
    app.include_router(api_docs.router)
    app.mount("/static", _PublicFiles(packages=[("app.pages", "static")]), name="static")
