"""One module for each page of the console; `router` holds them all."""

from fastapi import APIRouter

from app.console.pages import all_firms, connecting, first_sync, overview, people, person, progress

router = APIRouter(prefix="/console", include_in_schema=False)
for page in (all_firms, overview, first_sync, connecting, progress, people, person):
    router.include_router(page.router)
