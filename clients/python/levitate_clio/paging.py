"""Reads lists to their end, page by page."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from typing import Any, ParamSpec, Protocol, TypeVar, cast

P = ParamSpec("P")
T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


class Page(Protocol[T_co]):
    """A page of any list."""

    @property
    def data(self) -> Sequence[T_co]:
        """The items of this page."""
        ...

    @property
    def next_cursor(self) -> str | None:
        """The cursor of the next page."""
        ...

    @property
    def has_more(self) -> bool:
        """Whether there is a next page."""
        ...


def pages(operation: Callable[P, Page[T]], *args: P.args, **kwargs: P.kwargs) -> Iterator[T]:
    """Yield the items of all pages. The arguments are those of the operation; a page is read when it is needed."""
    read = cast("Callable[..., Page[T]]", operation)
    more: dict[str, Any] = dict(kwargs)
    while True:
        page = read(*args, **more)
        yield from page.data
        if not page.has_more or page.next_cursor is None:
            return
        more["cursor"] = page.next_cursor


async def async_pages(
    operation: Callable[P, Awaitable[Page[T]]], *args: P.args, **kwargs: P.kwargs
) -> AsyncIterator[T]:
    """Yield the items of all pages, as `pages` does."""
    read = cast("Callable[..., Awaitable[Page[T]]]", operation)
    more: dict[str, Any] = dict(kwargs)
    while True:
        page = await read(*args, **more)
        for item in page.data:
            yield item
        if not page.has_more or page.next_cursor is None:
            return
        more["cursor"] = page.next_cursor
