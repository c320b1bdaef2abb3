"""The OpenAPI document of the service. It takes two seconds to build."""

from functools import cache
from typing import Any

from app.db.connection import Address
from app.main import create_app
from tests.support.world import config_for

NOWHERE = "postgresql://nowhere"


@cache
def openapi_document() -> dict[str, Any]:
    """Return the document, which tests must not change."""
    document: dict[str, Any] = create_app(config_for(NOWHERE), Address(NOWHERE)).openapi()
    return document
