"""Refuses every connection of this process but to loopback, and writes down who was asked for.

Python imports a module of this name at its start where it is on the path.
"""

import os
import sys
from pathlib import Path

LOOPBACK = ("localhost", "127.", "::1", "0.0.0.0", "::")  # noqa: S104  names, nothing is bound
LOG = Path(os.environ["WATCH_LOG"])


def watch(event: str, arguments: tuple[object, ...]) -> None:
    """Refuse to look up or to reach another machine."""
    if event in ("socket.connect", "socket.sendto"):
        address = arguments[1]
        host = address[0] if isinstance(address, tuple) else None  # else a socket of this machine
    elif event in ("socket.getaddrinfo", "socket.gethostbyname"):
        host = arguments[0]
    else:
        return
    name = host.decode() if isinstance(host, bytes) else host
    if name and not str(name).startswith(LOOPBACK):
        with LOG.open("a", encoding="utf-8") as log:
            log.write(f"{event} {name}\n")
        raise ConnectionRefusedError(f"{event}: {name} is not this machine")


sys.addaudithook(watch)
