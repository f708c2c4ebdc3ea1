"""Whose turn it is to write what all processes share: one at a time for each base.

Knows a lock that ends with its holder. Knows nothing of what is written.
"""

import fcntl
import os
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Protocol

LOOK_EVERY_S = 0.05

Check = Callable[[], None]
"""Raises StorageError once the turn is lost."""


class Turns(Protocol):
    """Hands out turns. `may_be_lost`: a turn can end before its holder, which `Check` tells."""

    may_be_lost: bool

    def take(self, kb_id: str) -> AbstractContextManager[Check | None]:
        """Hold the turn of a base for the time of the context; None where another has it.

        Does not wait. Raises StorageError.
        """


class FileTurns:
    """Implements `Turns` for the processes of one machine, by locks on files."""

    may_be_lost = False

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @contextmanager
    def take(self, kb_id: str) -> Iterator[Check | None]:
        """Hold the turn of a base; the kernel gives it back when the process ends."""
        self._folder.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(self._folder / f"{kb_id}.lock", os.O_CREAT | os.O_RDWR, 0o600)
        try:
            yield _never_lost if _is_locked(descriptor) else None
        finally:
            os.close(descriptor)


@contextmanager
def waiting(
    turns: Turns, kb_id: str, wait_s: float, clock: Callable[[], float] = time.monotonic
) -> Iterator[Check | None]:
    """Hold the turn of a base as soon as it is free; None when it is not within `wait_s`."""
    until = clock() + wait_s
    while True:
        with turns.take(kb_id) as check:
            if check is not None or clock() >= until:
                yield check
                return
        time.sleep(LOOK_EVERY_S)


def _never_lost() -> None:
    """A lock on a file ends with its process."""


def _is_locked(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
