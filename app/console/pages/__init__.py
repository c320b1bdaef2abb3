"""One module for each page of the console; `router` holds them all."""

from fastapi import APIRouter

from app.console.pages import (
    activity,
    all_firms,
    attorneys,
    connecting,
    first_sync,
    holds,
    overview,
    people,
    person,
    progress,
    settings,
    settings_preview,
    writebacks,
)

router = APIRouter(prefix="/console", include_in_schema=False)
for page in (
    all_firms,
    overview,
    connecting,
    first_sync,
    progress,
    settings,
    settings_preview,
    people,
    person,
    holds,
    writebacks,
    attorneys,
    activity,
):
    router.include_router(page.router)
