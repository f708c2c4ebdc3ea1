"""Questions beside passages, as token ids with the place of the answer. Knows no source of data.

An example is `<s> query: question </s></s> title, new line, text </s>`, as the reader is asked.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

from tokenizers import Encoding, Tokenizer

from training.reader.recipe import MAX_QUESTION_TOKENS, MAX_TOKENS

START, END = 0, 2
NO_ANSWER = (0, 0)


@dataclass(frozen=True, slots=True)
class Asked:
    """A question and a text; `answer`: offsets in the text, None when it does not answer."""

    question: str
    title: str
    text: str
    answer: tuple[int, int] | None


@dataclass(frozen=True, slots=True)
class Example:
    """Token ids; `first` and `last` token of the answer, both 0 when there is none."""

    ids: tuple[int, ...]
    first: int
    last: int


class Encoder:
    """Makes examples of what is asked; long texts are cut to a window around the answer."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        self._tokenizer = tokenizer
        self._texts: dict[str, Encoding] = {}

    def encode(self, asked: Asked, rng: random.Random) -> Example | None:
        """Return the example, None when the answer does not fit into a window."""
        question = self._ids(f"query: {asked.question}")[:MAX_QUESTION_TOKENS]
        title = self._ids(f"{asked.title}\n")[:40] if asked.title else []
        head = [START, *question, END, END, *title]
        room = MAX_TOKENS - len(head) - 1
        text = self._text(asked.text)
        within = _tokens_of(text, asked.answer) if asked.answer else None
        if asked.answer and (within is None or within[1] - within[0] >= room):
            return None
        begin = _window(len(text.ids), within, room, rng)
        ids = (*head, *text.ids[begin : begin + room], END)
        shift = len(head) - begin
        first, last = (within[0] + shift, within[1] + shift) if within else NO_ANSWER
        return Example(ids, first, last)

    def _ids(self, text: str) -> list[int]:
        ids: list[int] = self._tokenizer.encode(text, add_special_tokens=False).ids
        return ids

    def _text(self, text: str) -> Encoding:
        if text not in self._texts:
            if len(self._texts) > 20000:
                self._texts.clear()
            self._texts[text] = self._tokenizer.encode(text, add_special_tokens=False)
        return self._texts[text]


def _tokens_of(text: Encoding, answer: tuple[int, int]) -> tuple[int, int] | None:
    offsets: Sequence[tuple[int, int]] = text.offsets
    inside = [i for i, (start, end) in enumerate(offsets) if end > answer[0] and start < answer[1]]
    return (inside[0], inside[-1]) if inside else None


def _window(length: int, within: tuple[int, int] | None, room: int, rng: random.Random) -> int:
    """Where the window of `room` tokens begins, so that it holds the answer."""
    latest = max(0, length - room)
    if within is None:
        return rng.randint(0, latest)
    lowest = max(0, within[1] + 1 - room)
    return rng.randint(min(lowest, latest), max(lowest, min(within[0], latest)))
