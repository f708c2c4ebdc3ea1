"""Fits how likely a phrase fits a record, by the logit of the network, on held records.

A base holds few records of what is asked for: beside the phrases written for a record stand those
of other records of its office, taken for ones that do not fit. Writes the numbers into config.json.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from kb_service.encoder.folder import CONFIG_FILE, read_config
from kb_service.generation.phrase_scorer import LIKELIHOOD, Likelihood, PhraseScorer
from training.model_folder import write_checksums
from training.newton import fit_logistic
from training.phrases.records import WrittenRecord, records

NUM_FOREIGN = 12
"""Phrases of other records of the office beside each record."""

PRECISION_AT = 0.9
"""Of the records that are taken for what is called, so many have to be."""

RECALL_AT = 0.9
"""Of those that are, so many have to be taken for such or be open."""

Numbers = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Trials:
    """Logits of phrases beside records, whether each fits, and which are of other records."""

    logits: Numbers
    fits: Numbers
    is_foreign: npt.NDArray[np.bool_]


def calibrate(folder: Path, scorer: PhraseScorer, log_line: Callable[[str], None]) -> Likelihood:
    """Fit on the held records; write the numbers into the model folder and tell what they give."""
    trials = read(records(held=True), scorer)
    weights = fit_logistic(
        np.column_stack((trials.logits, np.ones(len(trials.logits)))), trials.fits
    )
    fitted = Likelihood(float(weights[0]), float(weights[1]), 1.0, 0.0)
    likely = fitted.of(trials.logits.astype(np.float32)).astype(float)
    fits_at, open_at = thresholds(likely, trials.fits)
    fitted = replace(fitted, fits_at=fits_at, open_at=open_at)
    for line in told(likely, trials, fitted):
        log_line(line)
    numbers = {name: round(value, 4) for name, value in asdict(fitted).items()}
    text = json.dumps(read_config(folder) | {LIKELIHOOD: numbers}, indent=2, ensure_ascii=False)
    (folder / CONFIG_FILE).write_text(text + "\n", encoding="utf-8")
    write_checksums(folder)
    return fitted


def read(of: Sequence[WrittenRecord], scorer: PhraseScorer) -> Trials:
    """Judge every record beside its phrases and some of its office."""
    plain = Likelihood(1.0, 0.0, 1.0, 0.0)
    rows = [row for record in of for row in _judged(record, of, scorer, plain)]
    logits, fits, foreign = zip(*rows, strict=True)
    return Trials(np.array(logits), np.array(fits), np.array(foreign))


def _judged(
    record: WrittenRecord, of: Sequence[WrittenRecord], scorer: PhraseScorer, plain: Likelihood
) -> Iterator[tuple[float, float, bool]]:
    rng = random.Random(record.text)  # noqa: S311 - no secret
    office = [one for one in of if one.domain == record.domain and one is not record]
    own = (*record.fits, *record.others)
    strange = {rng.choice(one.fits) for one in rng.choices(office, k=NUM_FOREIGN)} - {*own}
    asked = (*own, *sorted(strange))
    logits = scorer.logits(asked, [record.text])[0]
    for number, (phrase, logit) in enumerate(zip(asked, logits, strict=True)):
        yield float(logit), float(phrase in record.fits), number >= len(own)


def thresholds(likely: Numbers, fits: Numbers) -> tuple[float, float]:
    """Return from which likelihood on so many of all are right, and which misses only so many."""
    order = np.argsort(-likely)
    right = np.cumsum(fits[order])
    precision = right / np.arange(1, len(order) + 1)
    sure = np.flatnonzero(precision >= PRECISION_AT)
    fits_at = float(likely[order[sure[-1]]]) if len(sure) else 1.0
    missed = np.flatnonzero(right >= RECALL_AT * fits.sum())
    return fits_at, min(float(likely[order[missed[0]]]), fits_at)


def told(likely: Numbers, trials: Trials, fitted: Likelihood) -> Iterator[str]:
    """Yield what the thresholds give, over all and over the phrases written for the records."""
    for name, chosen in (("all", likely >= 0), ("own phrases", ~trials.is_foreign)):
        for at in (fitted.fits_at, 0.5, fitted.open_at):
            taken = chosen & (likely >= at)
            right = trials.fits[taken].sum()
            yield (
                f"{name} from {at:.3f}: {right:.0f} of {taken.sum()} right,"
                f" {right / max(taken.sum(), 1):.3f} precision,"
                f" {right / trials.fits[chosen].sum():.3f} recall"
            )
