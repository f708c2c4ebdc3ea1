"""Where a sync finds files: the port of a source, what it lists, and which of it is asked for.

Knows paths and patterns; no disk, no network and no knowledge base.
"""

import re
from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from functools import cached_property
from typing import BinaryIO, Protocol

_GLOB = re.compile(r"\*\*/|\*\*|\*|\?|\[[^\]/]+\]|.", re.DOTALL)
_MEANING = {"**/": "(?:[^/]+/)*", "**": ".*", "*": "[^/]*", "?": "[^/]"}


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A file by its path in the source. `stamp`: another one when the content is another."""

    path: str
    size_bytes: int
    stamp: str = ""


@dataclass(frozen=True, slots=True)
class SourceListing:
    """Files by path. `clutter`: those that programs leave behind.

    `num_hidden`: files and folders whose name begins with a dot, and folders of systems.
    `changing`: paths of files that somebody is writing.
    """

    files: Mapping[str, SourceFile] = field(default_factory=dict)
    clutter: Mapping[str, SourceFile] = field(default_factory=dict)
    num_hidden: int = 0
    changing: frozenset[str] = frozenset()

    @property
    def num_skipped(self) -> int:
        """How many are left out."""
        return len(self.clutter) + self.num_hidden


@dataclass(frozen=True, slots=True)
class Fetched:
    """Bytes of a file, and what its document is called where that is not its path."""

    stream: BinaryIO
    name: str | None = None


class Source(Protocol):
    """A place whose files a knowledge base follows. Nothing is ever written there."""

    @property
    def origin(self) -> str:
        """The name under which documents of this place are remembered; holds no secret."""

    @property
    def are_stamps_sure(self) -> bool:
        """True when an equal stamp means equal content, so that it need not be fetched again."""

    def listing(self) -> SourceListing:
        """Return all that is there, or raise: a part would look like the rest being deleted.

        Raises InvalidRequest (not_a_folder), StorageError, SourceError.
        """

    def fetch(
        self, file: SourceFile, max_bytes: int | None = None
    ) -> AbstractContextManager[Fetched]:
        """Open a file; `max_bytes`: its first ones are enough.

        Raises DocumentError (unreadable_file, file_changing), SourceError when the place is gone.
        """

    def close(self) -> None:
        """Release what was opened."""


@dataclass(frozen=True)
class Selection:
    """Patterns for paths: one of `include` must match, if there are any, and none of `exclude`.

    `*` and `?` stay within a folder, `**` does not; `[…]` is one of these characters. A pattern
    without a slash is for names, in whatever folder; one that matches a folder holds for all in
    it. Case does not count.
    """

    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()

    def accepts(self, path: str) -> bool:
        """True when the file of that path is asked for."""
        is_asked = not self.include or self._included.search(path) is not None
        return is_asked and not (self.exclude and self._excluded.search(path))

    @cached_property
    def _included(self) -> re.Pattern[str]:
        return _any_of(self.include)

    @cached_property
    def _excluded(self) -> re.Pattern[str]:
        return _any_of(self.exclude)


EVERYTHING = Selection()


def _any_of(globs: Iterable[str]) -> re.Pattern[str]:
    return re.compile("|".join(map(_regex_of, globs)), re.IGNORECASE | re.DOTALL)


def _regex_of(glob: str) -> str:
    place = "" if "/" in glob.rstrip("/") else "(?:.*/)?"
    body = "".join(map(_part, _GLOB.findall(glob.strip("/"))))
    end = "/" if glob.endswith("/") else "(?:/|$)"
    return f"^{place}{body}{end}"


def _part(piece: str) -> str:
    if piece in _MEANING:
        return _MEANING[piece]
    if len(piece) > 1:  # a set of characters
        is_negated = piece[1] in "!^" and len(piece) > 3
        body = piece[2:-1] if is_negated else piece[1:-1]
        escaped = re.sub(r"[\\\[\]^&~|]", r"\\\g<0>", body)
        return f"[{'^/' if is_negated else ''}{escaped}]"
    return re.escape(piece)
