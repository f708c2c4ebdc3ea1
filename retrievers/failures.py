"""The one way in which a derived index fails: whatever its files or its engines raise, IndexFailed.

Knows that an index can always be made again from the database, and that the engines raise what they
like (ValueError, OSError, RuntimeError, a Rust panic). Knows neither engine.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from kb_service.domain.errors import KbError, StorageError

_PANIC = "PanicException"
"""A Rust panic; it derives from BaseException, and no module exports it."""


class IndexFailed(StorageError):
    """An index, or the place it works in, cannot be used: close it and make it again."""

    default_code = "index_failed"


@contextmanager
def index_failures(action: str) -> Iterator[None]:
    """Turn what the index files and engines raise into IndexFailed; our own errors pass."""
    try:
        yield
    except KbError:
        raise
    except BaseException as error:
        if not isinstance(error, Exception) and type(error).__name__ != _PANIC:
            raise
        raise IndexFailed(f"cannot {action}: {type(error).__name__}: {error}") from error
