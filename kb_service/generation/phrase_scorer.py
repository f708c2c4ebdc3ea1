"""Judges by an encoder how surely records are of what phrases call: falls, 用药差错.

Knows the layout of an input (record and phrase apart, the phrase looks at the record) and the head.
Knows no base and no question.

N texts, P phrases, C channels.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from kb_service.domain.errors import ConfigurationError
from kb_service.domain.judged import Fit
from kb_service.encoder.folder import CONFIG_FILE, corrupt, open_encoder, read_config
from kb_service.language.variants import simplified

if TYPE_CHECKING:
    from tokenizers import Tokenizer

    from kb_service.encoder.arithmetic import FloatArray
    from kb_service.encoder.folder import Encoder
    from kb_service.encoder.kernel import Kernel

MAX_RECORD_TOKENS, MAX_PHRASE_TOKENS = 192, 24
STRIDE = 128
"""A longer record is read in windows that begin so many tokens apart."""

START, END = 0, 2
PHRASE_PROMPT = "query: "
RECORD_AT = MAX_PHRASE_TOKENS
"""The tokens of a record are numbered behind those of the longest phrase."""

HEADS = ("fits.weight", "fits.bias")
LIKELIHOOD = "likelihood"
"""The entry of config.json by which a logit is made a likelihood."""


@dataclass(frozen=True, slots=True)
class Likelihood:
    """A logistic regression over the network's logit, fitted on records it was not trained on.

    `fits_at`, `open_at`: likelihoods from which a record is taken for one of what is called, and
    from which that is open.
    """

    scale: float
    bias: float
    fits_at: float
    open_at: float

    def of(self, logits: FloatArray) -> FloatArray:
        """Likelihoods between 0 and 1 of logits of any shape."""
        told: FloatArray = 1 / (1 + np.exp(-np.clip(self.scale * logits + self.bias, -50, 50)))
        return told


class PhraseScorer:
    """Judges records by what they tell. Safe to share between threads."""

    def __init__(self, encoder: Encoder, name: str, likelihood: Likelihood) -> None:
        """Raises ConfigurationError `model_corrupt` when the folder lacks the head."""
        lacking = [head for head in HEADS if head not in encoder.heads]
        if lacking:
            raise ConfigurationError(
                f"the judging model {name} lacks head.{lacking[0]}", code="model_corrupt"
            )
        self._encoder, self.name, self.likelihood = encoder, name, likelihood

    def likelihoods(self, phrases: Sequence[str], texts: Sequence[str]) -> FloatArray:
        """Return how likely each text is of each phrase (N, P)."""
        return self.likelihood.of(self.logits(phrases, texts))

    def judged(self, phrases: Sequence[str], texts: Sequence[str]) -> list[tuple[Fit, ...]]:
        """See PhraseJudge."""
        return [tuple(map(self._fit, row)) for row in self.likelihoods(phrases, texts)]

    def _fit(self, likely: float) -> Fit:
        if likely >= self.likelihood.fits_at:
            return Fit.FITS
        return Fit.OPEN if likely >= self.likelihood.open_at else Fit.OTHER

    def logits(self, phrases: Sequence[str], texts: Sequence[str]) -> FloatArray:
        """Return the logits of each phrase beside each text (N, P); of windows the highest."""
        tokenizer, bert = self._encoder.tokenizer, self._encoder.bert
        asked = [phrase_ids(phrase, tokenizer) for phrase in phrases]
        windows = [list(windows_of(text, tokenizer)) for text in texts]
        read = iter(bert.beside([ids for of in windows for ids in of], asked, RECORD_AT))
        weight, bias = (self._encoder.heads[head] for head in HEADS)
        logits = [np.max([next(read) @ weight[0] + bias[0] for _ in of], axis=0) for of in windows]
        return np.array(logits, dtype=np.float32).reshape(len(texts), len(phrases))


def phrase_ids(phrase: str, tokenizer: Tokenizer) -> list[int]:
    """The tokens of a phrase, as trained; what is too long is cut."""
    ids = _ids(f"{PHRASE_PROMPT}{simplified(phrase)}", tokenizer)
    return [START, *ids[: MAX_PHRASE_TOKENS - 3], END, END]


def record_ids(text: str, tokenizer: Tokenizer) -> list[int]:
    """The tokens of a record, as trained: its first window."""
    return next(windows_of(text, tokenizer))


def windows_of(text: str, tokenizer: Tokenizer) -> Iterator[list[int]]:
    """Yield the tokens of a record in windows."""
    ids, room = _ids(simplified(text), tokenizer), MAX_RECORD_TOKENS - 1
    for start in range(0, max(len(ids) - room, 0) + STRIDE, STRIDE):
        yield [*ids[start : start + room], END]


def _ids(text: str, tokenizer: Tokenizer) -> list[int]:
    ids: list[int] = tokenizer.encode(text, add_special_tokens=False).ids
    return ids


def load_phrase_scorer(
    folder: Path, num_threads: int, kernel: Kernel | None = None
) -> PhraseScorer:
    """Open the folder of a judging model. Raises ConfigurationError `model_…`."""
    encoder = open_encoder(folder, num_threads=num_threads, kernel=kernel)
    return PhraseScorer(encoder, folder.name, read_likelihood(folder))


def read_likelihood(folder: Path) -> Likelihood:
    """What the configuration of a judging model says of its logits' worth.

    Raises ConfigurationError `model_corrupt` where it says nothing, or no numbers.
    """
    told: Any = read_config(folder).get(LIKELIHOOD)
    names = ("scale", "bias", "fits_at", "open_at")
    try:
        return Likelihood(**{name: float(told[name]) for name in names})
    except (TypeError, KeyError, ValueError) as error:
        wanted = f"{LIKELIHOOD} with {', '.join(names)}"
        raise corrupt(
            f"{folder / CONFIG_FILE} does not give {wanted}: {error!r}", folder
        ) from error
