"""The pocket reader's prompt: text to ids with the place of every piece in the text.

The one place that knows the prompt's shape, the same for training and for answering: a ChatGLM3
chat of one user message (question, numbered sentences, the question again) whose reply is the
number of the answering sentence, then its words. Does not know weights or what is learnt.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from pathlib import Path

from llm.tokenizers.sentence_pieces import TOKENIZER_FILE, ChatGLM3Tokenizer

MAX_EVIDENCE = 4
MARKS = tuple(f"[{number}]" for number in range(MAX_EVIDENCE + 1))
"""Before each sentence its number; `[0]` says that none answers."""


@dataclass(frozen=True, slots=True)
class Pieces:
    """Ids of a text and the characters ``[starts[i], ends[i])`` that each stands for.

    A character written as several bytes belongs to each of its ids.
    """

    ids: list[int]
    starts: list[int]
    ends: list[int]


class ReaderTokenizer:
    """The tokenizer that llm loads, and the places of its pieces in the text.

    Raises:
        CheckpointError: the file is missing or is no SentencePiece model of this family.
    """

    def __init__(self, path: Path) -> None:
        self.plain = ChatGLM3Tokenizer(path / TOKENIZER_FILE if path.is_dir() else path)
        self.mark_ids = tuple(self.plain.encode(mark)[-1] for mark in MARKS)
        control = self.plain.control_id
        header = self.plain.encode("\n")
        self.opening = (control("[gMASK]"), control("sop"), control("<|user|>"), *header)
        self.reply_id = control("<|assistant|>")
        self.eos_id = self.plain.eos_id
        self._sizes = [len(self.plain.token_bytes(i)) for i in range(self.plain.num_ids)]

    def pieces(self, text: str) -> Pieces:
        """Ids of the text, as llm's tokenizer gives them, with their character ranges.

        Raises:
            ValueError: a text that the pieces do not spell byte for byte (one with U+2581).
        """
        ids = self.plain.encode(text)
        character_at = [i for i, c in enumerate(text) for _ in range(len(c.encode()))]
        stops = list(accumulate((self._sizes[i] for i in ids), initial=-1))  # one blank in front
        if stops[-1] != len(character_at):
            raise ValueError(f"the pieces do not spell {text[:80]!r}")
        bounds = [(max(start, 0), stop) for start, stop in pairwise(stops)]
        starts = [character_at[start] if start < stop else 0 for start, stop in bounds]
        ends = [character_at[stop - 1] + 1 if start < stop else 0 for start, stop in bounds]
        return Pieces(ids, starts, ends)


@dataclass(frozen=True, slots=True)
class Prompt:
    """Ids up to where the reply begins; places of the sentences' pieces among them.

    ``pieces`` are those of the user's message, the first of them at index ``first`` of ``ids``;
    ``offsets`` say where each sentence begins in the message.
    """

    ids: tuple[int, ...]
    message: str
    pieces: Pieces
    first: int
    offsets: tuple[int, ...]


def message_of(question: str, sentences: Sequence[str]) -> tuple[str, tuple[int, ...]]:
    """The user's message, and where each sentence begins in it."""
    text = question
    offsets = []
    for number, sentence in enumerate(sentences, start=1):
        text += f"\n[{number}] "
        offsets.append(len(text))
        text += sentence
    return f"{text}\n{question}", tuple(offsets)


def prompt_of(question: str, sentences: Sequence[str], tokenizer: ReaderTokenizer) -> Prompt:
    """The chat's ids up to the reply, as llm writes them for this one user message."""
    message, offsets = message_of(question, sentences)
    pieces = tokenizer.pieces(message)
    ids = (*tokenizer.opening, *pieces.ids, tokenizer.reply_id)
    return Prompt(ids, message, pieces, len(tokenizer.opening), offsets)


def answer_range(pieces: Pieces, start: int, end: int) -> tuple[int, int]:
    """Indices [first, last) of the pieces that touch the characters [start, end)."""
    touching = [i for i, (a, b) in enumerate(zip(pieces.starts, pieces.ends, strict=True))
                if a < end and b > start]  # fmt: skip
    return touching[0], touching[-1] + 1
