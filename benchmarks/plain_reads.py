"""Two pages as hand-written SQL with `json_agg` behind the least ASGI program: the reference for reads.

    python -m benchmarks.plain_reads PORT DSN

It has no authentication, checks nothing and knows one account. It runs like the service: one process of uvicorn.
"""

import sys
from urllib.parse import parse_qs

import asyncpg
import uvicorn
from uvicorn._types import ASGIReceiveCallable, ASGISendCallable, Scope

PAGES = {
    "/changes": (
        "select json_build_object('data', coalesce(json_agg(json_build_object('seq', seq, 'change', body)"
        " order by seq), '[]'), 'next_cursor', max(seq))::text"
        " from (select seq, body from changes where account_id = $1 and seq > $2 order by seq limit $3) as page",
        int,
    ),
    "/contacts": (
        "select json_build_object('data', coalesce(json_agg(json_build_object('id', contact_id,"
        " 'clio_id', clio_id::text, 'version', version, 'contact', view,"
        " 'first_synced_at', first_synced_at, 'updated_at', updated_at)"
        " order by contact_id), '[]'), 'next_cursor', max(contact_id))::text"
        " from (select * from contacts where account_id = $1 and contact_id > $2 order by contact_id limit $3) as page",
        str,
    ),
}


class PlainReads:
    """The ASGI program."""

    def __init__(self, dsn: str, account_id: str) -> None:
        self._dsn = dsn
        self._account_id = account_id
        self._pool: asyncpg.Pool | None = None

    async def __call__(
        self, scope: Scope, receive: ASGIReceiveCallable, send: ASGISendCallable
    ) -> None:
        """Answer one request: a page after the parameter `after`, with at most `limit` items."""
        assert scope["type"] == "http", "runs without lifespan"
        if self._pool is None:
            self._pool = await asyncpg.create_pool(self._dsn, min_size=4, max_size=4)
        query, kind = PAGES[scope["path"]]
        given = parse_qs(scope["query_string"].decode())
        after, limit = kind(given.get("after", ["0"])[0]), int(given["limit"][0])
        body: str = await self._pool.fetchval(query, self._account_id, after, limit)
        headers = [(b"content-type", b"application/json")]
        await send(
            {"type": "http.response.start", "status": 200, "headers": headers, "trailers": False}
        )
        await send({"type": "http.response.body", "body": body.encode(), "more_body": False})


if __name__ == "__main__":
    uvicorn.run(
        PlainReads(sys.argv[2], "bench"),
        port=int(sys.argv[1]),
        lifespan="off",
        log_level="warning",
        access_log=False,
    )
