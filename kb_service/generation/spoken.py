"""What a model says, without what it thinks aloud and without the marks of its chat format.

A feed/flush machine over text; pieces may end anywhere. Knows how released models write thoughts
and role tokens as text. Knows no model and no protocol.
"""

import re

MAX_MARK_CHARS = 60
"""From here on what began like a mark is words."""

_THOUGHT = r"(?:seed:)?(?:think|thinking|thought|reasoning)"
_MARK = re.compile(
    rf"""
    (?P<opens> [<＜◁] \s* {_THOUGHT} (?: \s [^<>＞▷]{{0,30}} )? [>＞▷]
      | (?-i:\[THINK\]) | <\|begin_of_thought\|>
      | <\|channel\|> \s* (?:analysis|commentary) [^<>]{{0,30}} <\|message\|> )
    | (?P<closes> [<＜◁] \s* [/／] \s* {_THOUGHT} \s* [>＞▷]
      | (?-i:\[/THINK\]) | <\|end_of_thought\|> )
    | (?P<answers> <\|channel\|> \s* final [^<>]{{0,30}} <\|message\|> )
    | (?P<frames> </?answer> | <\|(?:begin|end)_of_box\|> )
    | (?P<turns> <[|｜] [^<>|｜\s]{{1,40}} [|｜]>
      | <(?:eop|sop|eos|bos|pad|start_of_turn|end_of_turn)> | (?-i:\[/?INST\] | \[gMASK\])
      | </s>\s*\Z )
    """,
    re.VERBOSE | re.IGNORECASE,
)
"""Thoughts begin and end; the answer begins; its frame; a turn ends, or begins before any word."""

_MAYBE_MARK = re.compile(
    rf"(?:[<＜◁][^<>＞▷]{{0,{MAX_MARK_CHARS}}}"
    rf"|<\|channel\|>[^<>]{{0,{MAX_MARK_CHARS}}}(?:<\|?[a-z]{{0,7}}\|?)?"
    r"|\[/?[a-z]{0,5}|</s>\s*)\Z",
    re.IGNORECASE,
)
_SPEAKER = re.compile(r"\s*(?:assistant|model)\s*(?:\n|\Z)")
_MAYBE_SPEAKER = re.compile(r"\s*[a-z]{0,9}\s*\Z")


class UnopenedThought(Exception):
    """A thought ends that never began, behind words that were passed on as the answer."""


class SpokenWords:
    """Feed a reply, get its words.

    Some servers put the opening mark into the prompt, so that a reply begins inside a thought and
    only its end is marked. `thinks_first`: whether this model is of that kind, None while that is
    not known; then, as when it is, words are held back until they are no thought for certain.
    Afterwards the field says what this reply has shown.
    """

    def __init__(self, thinks_first: bool | None) -> None:
        self.thinks_first = thinks_first
        self._holds = thinks_first is not False
        self._buffer = ""
        self._held = ""
        self._depth = 0
        self._after_thought: str | None = None
        self._has_words = False
        self._awaits_speaker = False
        self._is_over = False

    def feed(self, piece: str) -> str:
        """Return the words that are certain. Raises UnopenedThought."""
        self._buffer += piece
        return self._take(is_end=False)

    def flush(self, *, is_cut: bool) -> str:
        """Return the rest; of a thought that never ends nothing. `is_cut`: at the length limit.

        Inside thoughts that do not balance, what follows the last end of one is the answer, but
        not when the reply was cut. Raises UnopenedThought.
        """
        said = self._take(is_end=True)
        is_thought = is_cut and self.thinks_first and self._holds
        said += "" if is_thought else self._held
        if self._depth and not is_cut:
            said += self._after_thought or ""
        if self.thinks_first is None and not is_cut:
            self.thinks_first = False
        return said

    def _take(self, *, is_end: bool) -> str:
        said = ""
        while (mark := self._next_mark(is_end=is_end)) is not None:
            before, self._buffer = self._buffer[: mark.start()], self._buffer[mark.end() :]
            said += self._say(before, is_end=True)
            self._turn(str(mark.lastgroup))
        maybe = None if is_end else _MAYBE_MARK.search(self._buffer)
        end = maybe.start() if maybe else len(self._buffer)
        ready, self._buffer = self._buffer[:end], self._buffer[end:]
        return said + self._say(ready, is_end=is_end)

    def _next_mark(self, *, is_end: bool) -> re.Match[str] | None:
        """Return the next mark, None while it may become a longer one."""
        mark = _MARK.search(self._buffer)
        maybe = None if is_end else _MAYBE_MARK.search(self._buffer)
        return None if mark and maybe and maybe.start() <= mark.start() else mark

    def _turn(self, kind: str) -> None:
        """Change the state at a mark."""
        if kind == "opens":
            self._holds = self._holds and self._has_words
            self._after_thought = self._after_thought if self._depth else None
            self._depth += 1
        elif kind == "closes" or (kind == "answers" and self._depth):
            self._close(is_final=kind == "answers")
        elif kind == "turns" and not self._depth:
            self._is_over = self._is_over or self._has_words
            self._awaits_speaker = not self._has_words

    def _close(self, *, is_final: bool) -> None:
        if not self._depth:
            if self._has_words and not self._holds:
                self.thinks_first = True
                raise UnopenedThought
            self.thinks_first, self._holds = True, False
            self._held, self._has_words, self._is_over = "", False, False
        self._depth = 0 if is_final else max(0, self._depth - 1)
        self._after_thought = ""

    def _say(self, text: str, *, is_end: bool) -> str:
        if self._is_over:
            return ""
        if self._depth:
            if self._after_thought is not None:
                self._after_thought += text
            return ""
        if self._awaits_speaker:
            if not is_end and _MAYBE_SPEAKER.match(text):
                self._buffer = text + self._buffer
                return ""
            text = _SPEAKER.sub("", text, count=1) if _SPEAKER.match(text) else text
            self._awaits_speaker = not text
        self._has_words = self._has_words or bool(text.strip())
        if self._holds:
            self._held += text
            return ""
        return text
