"""Ports for programs that a test starts: reserved for this process, so that no other process gets one."""

import atexit
import socket
from contextlib import ExitStack

_kept = ExitStack()
atexit.register(_kept.close)


def free_port(count: int = 1) -> int:
    """Return the first of `count` adjacent ports that no other process gets until this one ends.

    A socket that is bound but does not listen reserves a port: the kernel gives it to no other process, and a
    program that gets its number can still listen there, however often it is started.
    """
    while True:
        with ExitStack() as tried:
            first = _bound(tried, 0)
            try:
                for port in range(first + 1, first + count):
                    _bound(tried, port)
            except (OSError, OverflowError):
                continue  # an adjacent port is in use
            _kept.push(tried.pop_all())
            return first


def _bound(tried: ExitStack, port: int) -> int:
    holder = tried.enter_context(socket.socket())
    holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    holder.bind(("127.0.0.1", port))
    return int(holder.getsockname()[1])
