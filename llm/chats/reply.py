"""From the ids of a reply to the text a reader sees, while it streams.

Since ChatGLM3 a reply starts with a metadata line: empty for plain answers, a tool's name for a
call. Knows that line, the blanks around an answer, the one placeholder of the training data and
the first ChatGLM's punctuation. Collects calls as text; does not parse them and runs nothing.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from llm.released_texts import PLACEHOLDER, PLACEHOLDER_TEXT, WIDE_PUNCTUATION
from llm.tokenizers import Detokenizer, Tokenizer


@dataclass(frozen=True, slots=True)
class ReplyRules:
    """How a family's replies are written.

    `new_part_id` opens another message within a reply; with it, each message has a metadata
    line. `widens_punctuation` turns ASCII punctuation beside a Chinese character into its
    full-width form, which the first ChatGLM's tokenizer cannot write. `verbatim` leaves the text
    as it is, for a base model's continuation.
    """

    new_part_id: int | None = None
    widens_punctuation: bool = False
    verbatim: bool = False


class ReplyText:
    """Feed ids, get text. What was returned is final; the pieces joined are the whole reply.

    `tool_names` are the tools that the prompt offered. The first line is metadata when it is
    empty or one of them; any other first line belongs to the answer, because without an offered
    tool it cannot be a call, and dropping it would lose words. The text of a call is no part of
    the answer: it is kept in `calls`, beside the tool's name.
    """

    def __init__(
        self, tokenizer: Tokenizer, rules: ReplyRules, tool_names: Collection[str] = ()
    ) -> None:
        self._tokenizer = tokenizer
        self._rules = rules
        self._tool_names = frozenset(tool_names)
        self._detokenizer = Detokenizer(tokenizer)
        self._in_header = rules.new_part_id is not None
        self._in_call = False
        self._pending = ""
        self._gap = ""
        self._at_part_start = True
        self._last = ""
        self.calls: list[tuple[str, str]] = []

    @property
    def metadata(self) -> str:
        """The name of the last tool that the reply calls; empty for an answer."""
        return self.calls[-1][0] if self.calls else ""

    def feed(self, token_id: int) -> str:
        """Text that became certain with this id, which must not be a stop id."""
        if token_id == self._rules.new_part_id:
            return self._next_part()
        return self._absorb(self._detokenizer.feed(token_id))

    def flush(self) -> str:
        """The text still held back, without trailing blanks."""
        text = self._absorb(self._detokenizer.flush())
        self._in_header = False
        rest = self._pending.replace(PLACEHOLDER, PLACEHOLDER_TEXT).rstrip()
        self._pending = ""
        return text + self._release(rest, "")

    def _next_part(self) -> str:
        """The model may open a second message of its own, say a tool call after a remark."""
        text = self.flush()
        self._detokenizer = Detokenizer(self._tokenizer)
        self._in_header, self._in_call = True, False
        self._gap = self._gap if self._at_part_start else "\n"
        self._at_part_start = True
        self._last = ""
        return text

    def _absorb(self, piece: str) -> str:
        if self._rules.verbatim:
            return piece
        self._pending += piece
        if self._in_header and not self._take_header():
            return ""
        if self._in_call:
            self._take_call()
            return ""
        ready = self._pending.replace(PLACEHOLDER, PLACEHOLDER_TEXT)
        cut = len(ready) - self._held_back(ready)
        self._pending = ready[cut:]
        return self._release(ready[:cut], ready[cut : cut + 1])

    def _take_header(self) -> bool:
        """Whether it is settled what the first line is; a metadata line is then gone."""
        line, newline, rest = self._pending.partition("\n")
        name = line.strip()
        if newline and (not name or name in self._tool_names):
            self._pending = rest
            self._in_call = bool(name)
            self.calls += [(name, "")] if name else []
        elif not newline and any(known.startswith(name) for known in (*self._tool_names, "")):
            return False
        self._in_header = False
        return True

    def _take_call(self) -> None:
        name, text = self.calls[-1]
        self.calls[-1] = (name, text + self._pending)
        self._pending = ""

    def _held_back(self, text: str) -> int:
        """Length of the tail that may still change with the next character."""
        held = _unsettled(text)
        before = text[: len(text) - held]
        return held + (self._rules.widens_punctuation and before[-1:] in WIDE_PUNCTUATION)

    def _release(self, text: str, following: str) -> str:
        if self._rules.widens_punctuation and text:
            text, self._last = _widened(self._last, text, following), text[-1]
        if not self._at_part_start:
            return text
        text = text.lstrip()
        if not text:
            return ""
        self._at_part_start = False
        return self._gap + text


def _unsettled(text: str) -> int:
    """Length of a begun placeholder at the end, or else of trailing blanks."""
    for length in range(min(len(text), len(PLACEHOLDER) - 1), 0, -1):
        if PLACEHOLDER.startswith(text[len(text) - length :]):
            return length
    return len(text) - len(text.rstrip())


def _widened(before: str, text: str, following: str) -> str:
    """The text with full-width punctuation beside Chinese characters, U+4E00 to U+9FFF."""
    around = f"{before or ' '}{text}{following or ' '}"
    triples = zip(around, text, around[2:], strict=False)
    return "".join(
        WIDE_PUNCTUATION[mark]
        if mark in WIDE_PUNCTUATION and (_is_chinese(left) or _is_chinese(right))
        else mark
        for left, mark, right in triples
    )


def _is_chinese(character: str) -> bool:
    return 0x4E00 <= ord(character) <= 0x9FFF
