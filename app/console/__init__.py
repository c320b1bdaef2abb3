"""The console: pages for Success Managers and firms' administrators, and for users who want to read.

`pages` has a module for each page, `words` what codes mean in plain words, `templates` the HTML. A page reads and
changes through the functions of `app/api`, so it has the same tenancy, roles, audit and version checks; it has no
function of its own. A session stands for a service token and an acting user: see `sessions`.
"""

from fastapi import FastAPI

from app.console import sign_in
from app.console.pages import router
from app.console.sessions import ConsoleSessions

__all__ = ["ConsoleSessions", "install"]


def install(app: FastAPI) -> None:
    """Add the pages to the application."""
    app.include_router(sign_in.router)
    app.include_router(router)
    app.include_router(sign_in.no_page)
