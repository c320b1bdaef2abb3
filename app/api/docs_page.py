"""The page that shows the OpenAPI document to developers: Swagger UI, whose files come from where FastAPI takes them.

Its policy allows these files and the one script of the page itself, and no other.
"""

import base64
import hashlib
import re

from fastapi import APIRouter, Request
from fastapi.openapi.docs import get_swagger_ui_html
from fastapi.responses import HTMLResponse

router = APIRouter(include_in_schema=False)

_FILES = "https://cdn.jsdelivr.net/npm/swagger-ui-dist@5/"
_SCRIPT = re.compile(rb"<script>(.*?)</script>", re.DOTALL)


@router.get("/docs")
async def docs(request: Request) -> HTMLResponse:
    """Return the page."""
    app = request.app
    page = get_swagger_ui_html(openapi_url=app.openapi_url, title=f"{app.title} API")
    page.headers["Content-Security-Policy"] = _policy(bytes(page.body))
    return page


def _policy(page: bytes) -> str:
    digests = [hashlib.sha256(script).digest() for script in _SCRIPT.findall(page)]
    own = " ".join(f"'sha256-{base64.b64encode(digest).decode()}'" for digest in digests)
    return (
        f"default-src 'none'; script-src {_FILES} {own}; style-src {_FILES} 'unsafe-inline'; connect-src 'self';"
        " img-src data: https://fastapi.tiangolo.com; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
