"""Regular expressions that are compiled when they are first used.

The rooms of language hold over a thousand, and a process that only listens, or only lists, uses
none of them. Knows no language.
"""

import re
from typing import TYPE_CHECKING, Any


def regex(written: str, flags: int = 0) -> "re.Pattern[str]":
    """Return a pattern that raises re.error with its first use, not here, when it is none."""
    return _Unread(written, flags)


class _Unread(re.Pattern[str] if TYPE_CHECKING else object):  # type: ignore[misc]
    """Becomes the compiled pattern, method by method, as soon as one is asked for."""

    def __init__(self, written: str, flags: int) -> None:
        self.pattern = written
        self._flags = flags

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - the pattern's own methods and values
        if name.startswith("__"):  # what copies and inspects objects asks for what they may lack
            raise AttributeError(name)
        compiled = re.compile(self.pattern, self._flags)
        # Found on the object itself from now on, so that a use costs what the pattern's own does.
        self.__dict__ |= {each: getattr(compiled, each) for each in _PUBLIC}
        return getattr(compiled, name)


_PUBLIC = tuple(name for name in dir(re.Pattern) if not name.startswith("_"))
