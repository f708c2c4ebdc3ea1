"""From the ids of a reply to the text a reader sees, while it streams.

ChatGLM3 starts a reply with a metadata line: empty for plain answers, a tool's name for a call.
Knows that line, the blanks around an answer and the one placeholder of the training data. Does
not parse tool calls and runs nothing.
"""

from __future__ import annotations

from collections.abc import Collection

from llm.tokenizer import ChatGLM3Tokenizer, Detokenizer

# The training data has a placeholder where the released code puts a year.
PLACEHOLDER, PLACEHOLDER_TEXT = "[[训练时间]]", "2023年"


class ReplyText:
    """Feed ids, get text. What was returned is final; the pieces joined are the whole reply.

    `tool_names` are the tools that the prompt offered. The first line is metadata when it is
    empty or one of them; any other first line belongs to the answer, because without an offered
    tool it cannot be a call, and dropping it would lose words.
    """

    def __init__(self, tokenizer: ChatGLM3Tokenizer, tool_names: Collection[str] = ()) -> None:
        self._tokenizer = tokenizer
        self._new_part_id = tokenizer.control_id("<|assistant|>")
        self._tool_names = frozenset(tool_names)
        self._detokenizer = Detokenizer(tokenizer)
        self._in_header = True
        self._pending = ""
        self._gap = ""
        self._at_part_start = True
        self.metadata = ""

    def feed(self, token_id: int) -> str:
        """Text that became certain with this id, which must not be a stop id."""
        if token_id == self._new_part_id:
            return self._next_part()
        return self._absorb(self._detokenizer.feed(token_id))

    def flush(self) -> str:
        """The text still held back, without trailing blanks."""
        text = self._absorb(self._detokenizer.flush())
        self._in_header = False
        text += self._release(self._pending.replace(PLACEHOLDER, PLACEHOLDER_TEXT).rstrip())
        self._pending = ""
        return text

    def _next_part(self) -> str:
        """The model may open a second message of its own, say a tool call after a remark."""
        text = self.flush()
        self._detokenizer = Detokenizer(self._tokenizer)
        self._in_header = True
        self._gap = self._gap if self._at_part_start else "\n"
        self._at_part_start = True
        return text

    def _absorb(self, piece: str) -> str:
        self._pending += piece
        if self._in_header and not self._take_header():
            return ""
        ready = self._pending.replace(PLACEHOLDER, PLACEHOLDER_TEXT)
        held = _held_back(ready)
        self._pending = ready[len(ready) - held :]
        return self._release(ready[: len(ready) - held])

    def _take_header(self) -> bool:
        """Whether it is settled what the first line is; a metadata line is then gone."""
        line, newline, rest = self._pending.partition("\n")
        name = line.strip()
        if newline and (not name or name in self._tool_names):
            self.metadata, self._pending = name, rest
        elif not newline and any(known.startswith(name) for known in (*self._tool_names, "")):
            return False
        self._in_header = False
        return True

    def _release(self, text: str) -> str:
        if not self._at_part_start:
            return text
        text = text.lstrip()
        if not text:
            return ""
        self._at_part_start = False
        return self._gap + text


def _held_back(text: str) -> int:
    """Length of the tail that may still change: trailing blanks, or a begun placeholder."""
    for length in range(min(len(text), len(PLACEHOLDER) - 1), 0, -1):
        if PLACEHOLDER.startswith(text[len(text) - length :]):
            return length
    return len(text) - len(text.rstrip())
