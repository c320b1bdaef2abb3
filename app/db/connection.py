"""The class of every connection to PostgreSQL. Opening connections and pools does not belong here.

It notices within ten seconds that the server's machine or the network is gone, as in a failover. Without it such a
connection waits for the deadline of its statement, up to a minute, although the database is back.
"""

import os
import socket
from asyncio import BaseTransport
from typing import Any

import asyncpg

# Seconds, and milliseconds for the last: a quiet connection is probed after 5 and 7 seconds and given up after 9. What
# was sent must be confirmed within 9. Systems other than Linux lack some of these options and keep their defaults.
TCP_OPTIONS = {"TCP_KEEPIDLE": 5, "TCP_KEEPINTVL": 2, "TCP_KEEPCNT": 2, "TCP_USER_TIMEOUT": 9000}


class WatchedConnection(asyncpg.Connection):
    """asyncpg's connection, whose end is noticed although the server does not say it."""

    def __init__(self, protocol: Any, transport: BaseTransport, *rest: Any) -> None:
        super().__init__(protocol, transport, *rest)
        _watch(transport.get_extra_info("socket"))


def _watch(connected: Any) -> None:
    """Let the system probe the connection. A transport lends its socket only for reading, so its copy is used."""
    if connected is None or connected.family not in (socket.AF_INET, socket.AF_INET6):
        return
    with socket.socket(fileno=os.dup(connected.fileno())) as copy:
        copy.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        for name, value in TCP_OPTIONS.items():
            if option := getattr(socket, name, None):
                copy.setsockopt(socket.IPPROTO_TCP, option, value)
