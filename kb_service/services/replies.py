"""What a model writes, without what is no part of its answer: thoughts and marks of roles.

A feed/flush machine. `<think>` blocks, also those that are never closed, what a model says in the
role of someone else, and control tokens written as words are dropped before anything is judged. The
result depends on the whole text only, not on how it was cut into pieces. Knows no passages.
"""

import re

from kb_service.language.lexicon import any_of, shipped_lexicon

_SPEAKER = any_of(shipped_lexicon().listed("replies", "speakers"))
_MARK = re.compile(
    rf"""(?P<thought><\s?think(?:ing)?\s?>)
    |(?P<other><\|\s?(?:user|system|observation)\s?\|>)
    |</\s?think(?:ing)?\s?>|<\|\s?\w{{1,16}}\s?\|>|</?(?:sop|eop|bos|eos)>
    |\[[gs]?MASK\](?:\s?sop\b)?
    |^[ \t]{{0,4}}\*{{0,2}}(?:{_SPEAKER})[ ]?\*{{0,2}}[:\uff1a]\*{{0,2}}[ ]?""",
    re.IGNORECASE | re.VERBOSE | re.MULTILINE,
)
_MAX_MARK_CHARS = 32
"""No mark is longer: one that begins farther from the end is read whole."""

_MAY_BEGIN = re.compile(r"[<\[]|^[\w* \t]*[:\uff1a]?[* \t]*\Z", re.MULTILINE)
_ENDS = {
    "thought": re.compile(r"</\s?think(?:ing)?\s?>", re.IGNORECASE),
    "other": re.compile(r"<\|\s?assistant\s?\|>", re.IGNORECASE),
}


class ReplyFilter:
    """Passes on the words of an answer."""

    def __init__(self) -> None:
        self._rest = ""
        self._last = "\n"  # before what is left: the answer begins a line
        self._silent_until: re.Pattern[str] | None = None

    def feed(self, piece: str) -> str:
        """Return the words that are certain, keeping back what may begin a mark."""
        self._rest += piece
        return self._passed(is_end=False)

    def flush(self) -> str:
        """Return what is left."""
        return self._passed(is_end=True)

    def _passed(self, *, is_end: bool) -> str:
        words = ""
        while self._skip_silence():
            text = self._last + self._rest
            horizon = len(text) if is_end else max(1, len(text) - _MAX_MARK_CHARS)
            mark = _MARK.search(text, 1)
            if mark is None or (mark.start() >= horizon and not is_end):
                begun = None if is_end else mark or _MAY_BEGIN.search(text, horizon)
                return words + self._take(begun.start() - 1 if begun else len(self._rest))
            words += self._take(mark.start() - 1)
            self._rest = self._rest[len(mark.group()) :]
            self._silent_until = _ENDS.get(mark.lastgroup or "")
        return words

    def _skip_silence(self) -> bool:
        """Leave out what is not meant for the reader; False while it goes on."""
        if self._silent_until is None:
            return True
        end = self._silent_until.search(self._rest)
        if end is None:
            self._rest = self._rest[-_MAX_MARK_CHARS:]
            return False
        self._rest, self._silent_until = self._rest[end.end() :], None
        return True

    def _take(self, num_chars: int) -> str:
        taken, self._rest = self._rest[:num_chars], self._rest[num_chars:]
        self._last = taken[-1:] or self._last
        return taken
