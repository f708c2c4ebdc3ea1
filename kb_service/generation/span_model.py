"""Which words of a sentence answer a question: a linear model over named features.

The score of a span is the sum of the weights of its features (span_features); the chosen span is
the one with the highest expected F1 against the others. Deterministic, no arrays, no network; the
weights are one JSON file, checked against its checksum. Training: training/spans.py.
"""

import hashlib
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import islice
from pathlib import Path
from types import MappingProxyType

from kb_service.domain.errors import ConfigurationError
from kb_service.domain.spans import TextSpan
from kb_service.generation.span_features import (
    MAX_LENGTHS,
    AskedWords,
    Features,
    features_of,
    may_begin,
    may_end,
    span_names,
)
from kb_service.language.text import normalise

WEIGHTS = Path(__file__).with_name("span_weights.json")
CHECKSUM = WEIGHTS.with_suffix(".json.sha256")
BEAM = 20
"""First words that are combined with as many last words."""

TOP = 60
"""Spans whose expected F1 is weighed against each other."""

Weights = Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Choice:
    """The chosen words. `expected_f1`: 0..1, by the model's own probabilities."""

    span: TextSpan
    expected_f1: float


@dataclass(frozen=True, slots=True)
class _Candidate:
    score: float
    first: int
    last: int

    def f1(self, other: "_Candidate") -> float:
        """F1 of two spans over their tokens."""
        shared = min(self.last, other.last) - max(self.first, other.first) + 1
        return 2 * max(0, shared) / (self.last - self.first + other.last - other.first + 2)


@cache
def shipped_weights() -> Weights | None:
    """Return the weights that come with the package, None when the file is absent.

    Raises ConfigurationError `model_corrupt` when file and checksum differ.
    """
    return load_weights(WEIGHTS, CHECKSUM) if WEIGHTS.is_file() else None


def load_weights(path: Path, checksum: Path) -> Weights:
    """Return weights by feature. Raises ConfigurationError `model_corrupt` or `model_missing`."""
    try:
        content = path.read_bytes()
        expected = checksum.read_text(encoding="ascii").split()[0]
    except OSError as error:
        message = f"{error.filename} cannot be read: {error.strerror}"
        raise ConfigurationError(message, code="model_missing") from error
    except (IndexError, UnicodeDecodeError) as error:
        message = f"{checksum} must hold the SHA-256 of {path.name}: {error}"
        raise ConfigurationError(message, code="model_corrupt") from error
    found = hashlib.sha256(content).hexdigest()
    if found != expected:
        raise ConfigurationError(
            f"{path} is not the file it should be: expected SHA-256 {expected}, found {found}",
            code="model_corrupt",
            details={"file": str(path), "expected": expected, "found": found},
        )
    groups: dict[str, dict[str, float]] = json.loads(content)
    flat = {f"{name}={value}": w for name, values in groups.items() for value, w in values.items()}
    return MappingProxyType(flat)


def choose(asked: AskedWords, sentence: str, weights: Weights) -> Choice | None:
    """Return the words with the highest expected F1; None when no words can be an answer."""
    features = features_of(asked, sentence)
    candidates = _candidates(asked, sentence, features, weights)
    found = sorted(candidates, key=lambda c: (-c.score, c.first, c.last))[:TOP]
    if not found:
        return None
    masses = [math.exp(candidate.score - found[0].score) for candidate in found]
    total = sum(masses)

    def expected(candidate: _Candidate) -> float:
        return sum(m * candidate.f1(c) for m, c in zip(masses, found, strict=True)) / total

    best = max(found, key=expected)
    return Choice(_span(features, best.first, best.last), expected(best))


def _candidates(
    asked: AskedWords, sentence: str, features: Features, weights: Weights
) -> Iterator[_Candidate]:
    """Yield spans with a good first and a good last word, and those that a pattern names."""
    tokens, longest = features.tokens, MAX_LENGTHS[asked.language]
    firsts = [_sum(names, weights) for names in features.first]
    lasts = [_sum(names, weights) for names in features.last]
    begins = _best(firsts, [may_begin(token) for token in tokens])
    ends = _best(lasts, [may_end(token) for token in tokens])
    pairs = {(first, last) for first in begins for last in ends} | set(features.named)
    for first, last in pairs:
        allowed = may_begin(tokens[first]) and may_end(tokens[last])
        if not (allowed and first <= last < first + longest):
            continue
        names = span_names(asked, features, first, last)
        words = _span(features, first, last).of(sentence)
        if names and not _says(asked.question.normalised, normalise(words)):
            yield _Candidate(firsts[first] + lasts[last] + _sum(names, weights), first, last)


def _says(question: str, words: str) -> bool:
    """True when the question says the words itself: then they are not its answer."""
    place = question.find(words)
    while place >= 0:
        around = question[max(0, place - 1) : place + 1], question[place + len(words) - 1 :][:2]
        if not any(len(pair) == 2 and pair.isascii() and pair.isalnum() for pair in around):
            return True
        place = question.find(words, place + 1)
    return False


def _span(features: Features, first: int, last: int) -> TextSpan:
    return TextSpan(features.tokens[first].span.start, features.tokens[last].span.end)


def _sum(names: Sequence[str], weights: Weights) -> float:
    return sum(weights.get(name, 0.0) for name in names)


def _best(scores: Sequence[float], allowed: Sequence[bool]) -> list[int]:
    places = sorted(range(len(scores)), key=lambda n: (-scores[n], n))
    return list(islice((n for n in places if allowed[n]), BEAM))
