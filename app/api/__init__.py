"""The REST API: thin, one endpoint, one call into sync or db. `router` holds all of it."""

from fastapi import APIRouter

from app.api import accounts, activities, changes, contacts, health, oauth, runs

router = APIRouter()
for part in (accounts, oauth, runs, contacts, activities, changes, health):
    router.include_router(part.router)
router.include_router(oauth.callback_router)
