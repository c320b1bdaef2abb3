"""The page that shows the OpenAPI document to developers: Swagger UI, from files of this service.

Its policy allows these files and inline styles, which Swagger UI sets; no inline script, and no other host.
"""

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse
from starlette.exceptions import HTTPException

router = APIRouter(include_in_schema=False)

_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; connect-src 'self';"
    " img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_PAGE = """\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>levitate-clio API</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/static/swagger-ui/swagger-ui.css">
</head>
<body>
<main id="swagger-ui" data-document="/openapi.json">
<noscript>This page needs JavaScript. The document itself is at <a href="/openapi.json">/openapi.json</a>.</noscript>
</main>
<script src="/static/swagger-ui/swagger-ui-bundle.js"></script>
<script src="/static/api-docs/start.js"></script>
</body>
</html>
"""


@router.get("/docs")
async def docs(request: Request) -> HTMLResponse:
    """Return the page, unless LEVITATE_CLIO_DOCS is off."""
    if not request.app.state.serves_docs:
        raise HTTPException(404)
    return HTMLResponse(_PAGE, headers={"Content-Security-Policy": _POLICY})
