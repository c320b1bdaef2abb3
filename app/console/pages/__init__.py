"""One module for each page of the console; `router` holds them all."""

from fastapi import APIRouter

from app.console.pages import first_page, overview

router = APIRouter(prefix="/console", include_in_schema=False)
for page in (first_page, overview):
    router.include_router(page.router)
