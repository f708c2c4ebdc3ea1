"""Examples as ids, with what is learnt from each and what each stands for.

The prompt's shape is the product's (pocket_prompt); the reply is the number of the answering
sentence, then its words. Does not know batches or files.

N tokens of one example.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from kb_service.generation.pocket_prompt import (
    Prompt,
    ReaderTokenizer,
    answer_range,
    prompt_of,
)
from training.reader.examples import Example

Codes = npt.NDArray[np.uint8]
Ids = npt.NDArray[np.uint16]

# Bits of a token's label; the number of its sentence stands above them.
SAME_TOKEN, SAME_PAIR, IN_ANSWER, ANSWER_START, IN_GOLD = (1 << bit for bit in range(5))
LABEL_BITS = (SAME_TOKEN, SAME_PAIR, IN_ANSWER, ANSWER_START, IN_GOLD)
NUMBER_SHIFT = 5


class Part(IntEnum):
    """What the token behind a position belongs to: decides how much its loss counts."""

    UNSCORED = 0
    CITATION = 1
    START = 2  # the first of the answering words: what decides where to copy from
    ANSWER = 3
    QUESTION = 4
    EVIDENCE = 5
    TEXT = 6


@dataclass(frozen=True, slots=True)
class Encoded:
    """ids (N,), the Part of each id's successor (N,) and the labels of each id (N,)."""

    ids: Ids
    parts: Codes
    labels: Codes


def encode_example(example: Example, tokenizer: ReaderTokenizer) -> Encoded:
    """Prompt and reply of one example, with labels for the pieces of its sentences.

    The answer's ids are those that its words have in the sentence, so that it can be copied.
    """
    prompt = prompt_of(example.question, example.sentences, tokenizer)
    pieces = prompt.pieces
    reply = [tokenizer.mark_ids[example.gold]]
    answer = (0, 0)
    if example.gold:
        offset = prompt.offsets[example.gold - 1]
        answer = answer_range(pieces, offset + example.start, offset + example.end)
        reply += pieces.ids[answer[0] : answer[1]]
    ids = [*prompt.ids, *reply, tokenizer.eos_id]
    labels = np.zeros(len(ids), dtype=np.uint8)
    labels[prompt.first : prompt.first + len(pieces.ids)] = _labels(example, prompt, answer)
    parts = _parts(example, prompt, len(reply))
    return Encoded(np.array(ids, dtype=np.uint16), parts, labels)


def _parts(example: Example, prompt: Prompt, num_reply: int) -> Codes:
    """Part of the successor of each position, the last of which has none."""
    repeated = len(prompt.message) - len(example.question)
    of_piece = []
    for start in prompt.pieces.starts:
        if start >= repeated:
            of_piece.append(Part.QUESTION)
        else:
            is_evidence = start >= prompt.offsets[0] - 4
            of_piece.append(Part.EVIDENCE if is_evidence else Part.UNSCORED)
    opening = [Part.UNSCORED] * prompt.first
    reply = [Part.CITATION, Part.START, *[Part.ANSWER] * (num_reply - 1)]
    whole = [*opening, *of_piece, Part.UNSCORED, *reply]
    return np.array([*whole[1:], Part.UNSCORED], dtype=np.uint8)


def _labels(example: Example, prompt: Prompt, answer: tuple[int, int]) -> Codes:
    """Labels of the message's pieces; zero outside the sentences."""
    pieces = prompt.pieces
    num_asked = sum(end <= len(example.question) for end in pieces.ends if end)
    asked = pieces.ids[:num_asked]
    singles, pairs = set(asked), set(pairwise(asked))
    labels = np.zeros(len(pieces.ids), dtype=np.uint8)
    bounds = [(o, o + len(s)) for o, s in zip(prompt.offsets, example.sentences, strict=True)]
    for index, (token, start) in enumerate(zip(pieces.ids, pieces.starts, strict=True)):
        number = next((n for n, (a, b) in enumerate(bounds, start=1) if a - 1 <= start < b), 0)
        if not number:
            continue
        labels[index] = (
            (number << NUMBER_SHIFT)
            | SAME_TOKEN * (token in singles)
            | SAME_PAIR * ((pieces.ids[index - 1], token) in pairs)
            | IN_ANSWER * (answer[0] <= index < answer[1])
            | ANSWER_START * (index == answer[0] and answer[1] > 0)
            | IN_GOLD * (number == example.gold)
        )
    return labels


def encode_text(text: str, tokenizer: ReaderTokenizer) -> Encoded:
    """Plain text to go on writing, as a base model reads it."""
    ids = np.array([*tokenizer.opening[:2], *tokenizer.plain.encode(text)], dtype=np.uint16)
    parts = np.full(len(ids), Part.TEXT, dtype=np.uint8)
    parts[-1] = Part.UNSCORED
    return Encoded(ids, parts, np.zeros(len(ids), dtype=np.uint8))
