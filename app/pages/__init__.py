"""Pages for people, made from `templates`: the connecting of a Clio login, and errors in words.

Each page works as plain HTML, without a script. JSON for programs is in `app/api`; decisions are in `app/sync`.
"""

from fastapi import FastAPI
from fastapi.staticfiles import StaticFiles

from app.pages import connecting


def install(app: FastAPI) -> None:
    """Add the pages and their stylesheet to the application."""
    app.include_router(connecting.router)
    app.mount("/static", StaticFiles(packages=[("app.pages", "static")]), name="static")
