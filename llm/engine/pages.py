"""Who holds which page of the cache, and which pages already hold what a prompt begins with.

Pages are counted, shared and recycled here; their memory is kv_cache.py's. A full page is known
by a hash over its own tokens and those of every page before it, so that equal keys mean equal
keys and values. A page that nobody holds keeps its content until its room is needed.
"""

from __future__ import annotations

import hashlib
from array import array
from collections import OrderedDict
from collections.abc import Sequence


def page_key(parent: bytes, ids: Sequence[int]) -> bytes:
    """The key of a full page: SHA-256 over its parent's key and its token ids."""
    return hashlib.sha256(parent + array("q", ids).tobytes()).digest()


class Pages:
    """The book of `num_pages` pages.

    Every page is either held by at least one sequence, or idle with a key (it may be found
    again; the one idle for longest is given up first), or blank.
    """

    def __init__(self, num_pages: int) -> None:
        self.num_pages = num_pages
        self._holders = [0] * num_pages
        self._blank = list(range(num_pages - 1, -1, -1))
        self._idle: OrderedDict[int, None] = OrderedDict()
        self._key_of: dict[int, bytes] = {}
        self._page_of: dict[bytes, int] = {}

    @property
    def num_free(self) -> int:
        """Pages that could be taken now."""
        return len(self._blank) + len(self._idle)

    def find(self, keys: Sequence[bytes]) -> list[int]:
        """The pages of the longest known beginning of a chain of keys."""
        found = []
        for key in keys:
            page = self._page_of.get(key)
            if page is None:
                break
            found.append(page)
        return found

    def take(self, shared: Sequence[int], num_pages: int, num_spare: int = 0) -> list[int] | None:
        """Hold `shared` pages and as many others as make `num_pages`.

        None, and nothing held, where fewer than `num_spare` would be free then.
        """
        num_idle_shared = sum(self._holders[page] == 0 for page in shared)
        num_new = num_pages - len(shared)
        if num_new + num_spare > self.num_free - num_idle_shared:
            return None
        for page in shared:
            self._holders[page] += 1
            self._idle.pop(page, None)
        return [*shared, *(self._recycle() for _ in range(num_new))]

    def publish(self, page: int, key: bytes) -> None:
        """Make a full page findable; a second page of the same content stays private."""
        if key not in self._page_of:
            self._page_of[key] = page
            self._key_of[page] = key

    def release(self, pages: Sequence[int]) -> None:
        """Let go of pages, given in the order of their tokens.

        The last of a chain becomes idle first: a beginning is worth more than an end.
        """
        for page in reversed(pages):
            self._holders[page] -= 1
            if self._holders[page]:
                continue
            if page in self._key_of:
                self._idle[page] = None
            else:
                self._blank.append(page)

    def _recycle(self) -> int:
        if self._blank:
            page = self._blank.pop()
        else:
            page, _ = self._idle.popitem(last=False)
            del self._page_of[self._key_of.pop(page)]
        self._holders[page] = 1
        return page
