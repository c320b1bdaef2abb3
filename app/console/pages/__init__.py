"""One module for each page of the console; `router` holds them all."""

from fastapi import APIRouter

from app.console.pages import connecting, first_page, overview, progress

router = APIRouter(prefix="/console", include_in_schema=False)
for page in (first_page, overview, connecting, progress):
    router.include_router(page.router)
