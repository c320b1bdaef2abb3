"""Cookies that only this host sets, and forms that only its own pages send."""

from datetime import timedelta

from fastapi import Request, Response

from app.sync.services import Services


def host_cookie(services: Services, name: str) -> str:
    """Return the full name of a cookie; only this host can set one with the prefix, by https (RFC 6265bis)."""
    return f"__Host-{name}" if _is_https(services) else name


def set_host_cookie(
    answer: Response, services: Services, name: str, value: str, *, life: timedelta
) -> None:
    """Set a cookie that no script reads. A life of zero makes the browser forget it."""
    answer.set_cookie(
        host_cookie(services, name),
        value,
        max_age=int(life.total_seconds()),
        secure=_is_https(services),
        httponly=True,
        samesite="lax",
    )


def is_from_own_page(request: Request) -> bool:
    """Return False if the browser says that a page of another site has sent the form (Fetch Metadata)."""
    return request.headers.get("sec-fetch-site", "same-origin") == "same-origin"


def _is_https(services: Services) -> bool:
    return services.public_url.startswith("https://")
