"""Turns rows into (query, passage) pairs that teach an embedding model what belongs together.

Knows the kinds of pair: question, title, inverse cloze (Lee et al. 2019, a sentence against the
rest of its passage) and translation. Does not know tokens, vectors or files on disk.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from training.corpus import LeakFilter, Row

_SENTENCE = re.compile(r"[^。！？!?；;\n]*?(?:[。！？!?；;\n]+|\.(?=\s)|$)")
MIN_SENTENCE_LETTERS = 8
KEEP_QUERY_IN_PASSAGE = 0.1
WINDOW = {"zh": 220, "zh-Hant": 220, "en": 600}


@dataclass(frozen=True, slots=True)
class Pair:
    """A query and a passage that answers it.

    Pairs of one ``source`` share a batch; two pairs of the same ``group`` are about the same text
    and are never each other's negatives.
    """

    source: str
    query: str
    passage: str
    group: str


def sentences_of(text: str) -> list[str]:
    """Sentences with their end marks; short ones are joined to the next."""
    sentences: list[str] = []
    pending = ""
    for part in _SENTENCE.findall(text):
        pending += part
        if len(pending.strip()) >= MIN_SENTENCE_LETTERS:
            sentences.append(pending.strip())
            pending = ""
    if pending.strip():
        sentences.append(pending.strip())
    return sentences


def passages_of(text: str, max_chars: int) -> list[list[str]]:
    """The text cut into passages of whole sentences, each about ``max_chars`` characters."""
    passages: list[list[str]] = [[]]
    size = 0
    for sentence in sentences_of(text):
        if passages[-1] and size + len(sentence) > max_chars:
            passages.append([])
            size = 0
        passages[-1].append(sentence)
        size += len(sentence)
    return [passage for passage in passages if passage]


def answer_window(context: str, start: int, max_chars: int) -> str:
    """The whole sentences around an answer, about ``max_chars`` characters of them."""
    position = 0
    for passage in passages_of(context, max_chars):
        end = context.find(passage[-1], position) + len(passage[-1])
        if start < end:
            return " ".join(passage)
        position = end
    return context


def question_pairs(rows: Iterable[Row], source: str, rng: random.Random) -> Iterator[Pair]:
    """Each question against its whole context, and against the window that holds the answer."""
    for row in rows:
        question, context, title = row["question"], row["context"], row["title"]
        yield Pair(source, question, context, context)
        starts = [answer["start"] for answer in row["answers"] if answer["start"] >= 0]
        if starts:
            window = answer_window(context, starts[0], WINDOW[row["lang"]])
            prefix = title.replace("_", " ") + "\n" if rng.random() < 0.5 else ""
            yield Pair(f"{source}/window", question, prefix + window, context)


def title_pairs(titled: Iterable[tuple[str, str]], source: str) -> Iterator[Pair]:
    for title, text in titled:
        yield Pair(f"{source}/title", title, text, title)


def inverse_cloze_pairs(
    texts: Iterable[str], source: str, max_chars: int, per_passage: int, rng: random.Random
) -> Iterator[Pair]:
    """A sentence as the query, the rest of its passage as the text that belongs to it.

    In one of ten the sentence stays in the passage, so that the model also learns plain overlap.
    """
    for text in texts:
        for sentences in passages_of(text, max_chars):
            if len(sentences) < 2:
                continue
            group = " ".join(sentences)
            for chosen in rng.sample(range(len(sentences)), min(per_passage, len(sentences))):
                rest = [s for i, s in enumerate(sentences) if i != chosen]
                passage = group if rng.random() < KEEP_QUERY_IN_PASSAGE else " ".join(rest)
                yield Pair(f"{source}/cloze", sentences[chosen], passage, group)


def translation_pairs(rows: Iterable[Row], source: str, min_chars: int) -> Iterator[Pair]:
    """A paragraph against its translation, in both directions."""
    for row in rows:
        if len(row["en"]) >= min_chars:
            yield Pair(f"{source}/en-zh", row["en"], row["zh"], row["en"])
            yield Pair(f"{source}/zh-en", row["zh"], row["en"], row["en"])


def without_leaks(pairs: Iterable[Pair], held_out: LeakFilter) -> tuple[list[Pair], int]:
    """The pairs that share nothing with the held-out sets, and how many were dropped."""
    kept: list[Pair] = []
    num_dropped = 0
    leaked: dict[str, bool] = {}
    for pair in pairs:
        if pair.group not in leaked:
            leaked[pair.group] = held_out.has_passage(pair.group)
        texts = (pair.query, pair.passage)
        if (
            leaked[pair.group]
            or held_out.has_question(pair.query)
            or any(held_out.has_passage(text) for text in texts)
        ):
            num_dropped += 1
        else:
            kept.append(pair)
    return kept, num_dropped


def sample(pairs: Sequence[Pair], limit: int, rng: random.Random) -> list[Pair]:
    """At most ``limit`` of the pairs, in a random order."""
    return rng.sample(list(pairs), min(limit, len(pairs)))
