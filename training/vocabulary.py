"""Chooses the pieces of a bilingual bag-of-pieces model and writes them as a plain tokenizer.

Knows that Chinese wants characters and frequent short words, that Latin script wants whole words
with word parts to fall back on, and that short numbers are worth a piece. Does not know vectors.

The pieces go into a Unigram model (Kudo 2018) whose scores are log relative frequencies, so the
Viterbi path prefers a frequent long piece to its parts. Punctuation and symbols are dropped: in a
mean of vectors they only add noise.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers

UNKNOWN = "[UNK]"
_RUN = re.compile(r"([\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]+)|(\d+)|([^\W\d_]+)")
_HAN = re.compile(r"[\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]")
MAX_HAN_CHARS = 4
MAX_PART_CHARS = 6
MIN_COUNT = 2
MIN_COHESION = 3.0


@dataclass(frozen=True, slots=True)
class Shares:
    """How a vocabulary is divided; what a share leaves over goes to Chinese words."""

    latin_words: float = 0.33
    latin_parts: float = 0.09
    numbers: float = 0.03


@dataclass(slots=True)
class RunCounts:
    """Counts of Chinese n-grams by length, of numbers and of Latin words in normalised text."""

    han: list[Counter[str]] = field(
        default_factory=lambda: [Counter() for _ in range(MAX_HAN_CHARS)]
    )
    numbers: Counter[str] = field(default_factory=Counter)
    words: Counter[str] = field(default_factory=Counter)

    def add(self, text: str) -> None:
        for han, number, word in _RUN.findall(unicodedata.normalize("NFKC", text).lower()):
            if han:
                for n, counter in enumerate(self.han, start=1):
                    counter.update(han[i : i + n] for i in range(len(han) - n + 1))
            elif number:
                self.numbers[number] += 1
            else:
                self.words[word] += 1


def is_han(piece: str) -> bool:
    return bool(_HAN.match(piece))


def _most_common(counts: Counter[str], limit: int) -> list[tuple[str, int]]:
    """By count, ties by the piece itself, so that the choice never depends on hash order."""
    return sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:limit]


def _cohesion(gram: str, counts: RunCounts, total: int) -> float:
    """Least pointwise mutual information over the ways to cut the n-gram in two."""
    joint = counts.han[len(gram) - 1][gram] / total
    return min(
        math.log(
            joint
            * total
            * total
            / (counts.han[cut - 1][gram[:cut]] * counts.han[len(gram) - cut - 1][gram[cut:]])
        )
        for cut in range(1, len(gram))
    )


def han_words(counts: RunCounts, limit: int) -> dict[str, int]:
    """The ``limit`` most frequent n-grams of 2 to 4 characters that hold together."""
    total = sum(counts.han[0].values())
    words: Counter[str] = Counter()
    for n in range(2, MAX_HAN_CHARS + 1):
        threshold = 0.0 if n == 2 else MIN_COHESION
        for gram, count in counts.han[n - 1].items():
            if count >= MIN_COUNT * 2 and _cohesion(gram, counts, total) > threshold:
                words[gram] = count
    return dict(_most_common(words, limit))


def latin_parts(words: Counter[str], limit: int) -> dict[str, int]:
    """Word parts of 2 to 6 letters, by the number of different words they occur in."""
    parts: Counter[str] = Counter()
    for word in words:
        for n in range(2, MAX_PART_CHARS + 1):
            parts.update({word[i : i + n] for i in range(len(word) - n + 1)})
    return dict(_most_common(parts, limit))


def choose_pieces(texts: Iterable[str], size: int, shares: Shares | None = None) -> dict[str, int]:
    """Pieces with their counts, at most ``size`` of them, single characters included."""
    shares = shares or Shares()
    counts = RunCounts()
    for text in texts:
        counts.add(text)
    letters = Counter(letter for word in counts.words for letter in set(word))
    singles = counts.han[0] + letters + Counter({str(digit): 1 for digit in range(10)})
    pieces = {c: n for c, n in _most_common(singles, size) if n >= MIN_COUNT or not is_han(c)}
    short_numbers = Counter({n: c for n, c in counts.numbers.items() if len(n) <= 4})
    frequent_words = Counter({w: c for w, c in counts.words.items() if c >= MIN_COUNT})
    for chosen in (
        dict(_most_common(short_numbers, int(size * shares.numbers))),
        dict(_most_common(frequent_words, int(size * shares.latin_words))),
        latin_parts(counts.words, int(size * shares.latin_parts)),
    ):
        pieces = {**chosen, **pieces}
    room = max(0, size - 1 - len(pieces))
    return {**pieces, **han_words(counts, room)}


def build_tokenizer(pieces: dict[str, int]) -> Tokenizer:
    """A tokenizer over the pieces; id 0 is the unknown piece."""
    total = sum(pieces.values())
    ordered = _most_common(Counter(pieces), len(pieces))
    scored = [(piece, math.log(count / total)) for piece, count in ordered]
    worst = min((score for _, score in scored), default=0.0)
    model = models.Unigram([(UNKNOWN, worst - 10.0), *scored], unk_id=0, byte_fallback=False)
    tokenizer = Tokenizer(model)
    tokenizer.normalizer = normalizers.Sequence(
        [
            normalizers.NFKC(),
            normalizers.Lowercase(),
            normalizers.Replace(Regex(r"[^\p{L}\p{N}\p{M}]+"), " "),
        ]
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.WhitespaceSplit(),
            pre_tokenizers.Split(Regex(r"\p{Han}+"), "isolated"),
            pre_tokenizers.Split(Regex(r"\p{Nd}+"), "isolated"),
        ]
    )
    return tokenizer


def component_names(piece: str) -> list[str]:
    """The parts whose vectors a piece shares with others: characters and n-grams.

    Chinese: its characters and the pairs of neighbours. Latin: n-grams of 3 to 5 letters with
    boundary marks (Bojanowski et al. 2017). Numbers and single characters stand alone.
    """
    if len(piece) < 2 or piece == UNKNOWN or piece.isdecimal():
        return []
    if is_han(piece):
        pairs = [piece[i : i + 2] for i in range(len(piece) - 1)] if len(piece) > 2 else [piece]
        return [*piece, *pairs]
    marked = f"<{piece}>"
    return [marked[i : i + n] for n in (3, 4, 5) for i in range(len(marked) - n + 1)]


def shared_components(pieces: Sequence[str]) -> tuple[list[str], list[list[int]]]:
    """Components that occur in at least two pieces, and for each piece their indices."""
    named = [
        [*component_names(piece), *([piece] if is_han(piece) and len(piece) == 1 else [])]
        for piece in pieces
    ]
    occurrences = Counter(name for names in named for name in set(names))
    shared = sorted(name for name, count in occurrences.items() if count >= MIN_COUNT)
    index = {name: i for i, name in enumerate(shared)}
    return shared, [[index[name] for name in names if name in index] for names in named]
