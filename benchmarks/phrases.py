"""What tells whether a record is of a sort of happening: the encoder's cosine, the reader's logit.

    python -m benchmarks.phrases [--each 100]

The held records of training/phrases/written_records, each beside phrases that fit it and near ones
that do not (sister kinds, what is denied or feared, other outcomes). Area under the curve: how
often a fitting phrase is above another one, over all pairs; and the share of the fitting ones found
above the threshold from which nine in ten are right.
"""

import argparse
import random
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt

from kb_service.encoder.folder import Encoder, open_encoder
from kb_service.generation.span_scorer import EncoderScorer, load_scorer
from kb_service.language.text import is_chinese
from kb_service.model_parts import encoder_kernel
from kb_service.settings import EmbeddingSettings, ReaderSettings
from training.phrases.records import WrittenRecord, records

Numbers = npt.NDArray[np.float64]
PRECISION = 0.9


def area_under(scores: Numbers, fits: Numbers) -> float:
    """The share of (fitting, other) pairs in which the fitting one is above; ties count half."""
    order = np.unique(scores, return_inverse=True)[1]
    above = np.array([np.sum(order[fits == 0] < one) for one in order[fits == 1]])
    equal = np.array([np.sum(order[fits == 0] == one) for one in order[fits == 1]])
    return float((above.sum() + equal.sum() / 2) / ((fits == 1).sum() * (fits == 0).sum()))


def found_at(scores: Numbers, fits: Numbers, precision: float) -> float:
    """The largest share of the fitting ones that any threshold finds at a precision; 0 for none."""
    right = np.cumsum(fits[np.argsort(-scores)])
    is_enough = right / np.arange(1, len(scores) + 1) >= precision
    return float(right[np.flatnonzero(is_enough)[-1]] / fits.sum()) if is_enough.any() else 0.0


def cosines(encoder: Encoder, of: WrittenRecord) -> Iterator[float]:
    """How near each phrase is to the record, as questions are to passages."""
    texts = [f"passage: {of.text}", *(f"query: {phrase}" for phrase in phrases_of(of))]
    encoded = (encoder.tokenizer.encode(text) for text in texts)  # with first and last token
    means = [states.mean(axis=0) for states in encoder.bert.hidden([one.ids for one in encoded])]
    text, *phrases = (mean / np.linalg.norm(mean) for mean in means)
    yield from (float(text @ phrase) for phrase in phrases)


def answerables(reader: EncoderScorer, of: WrittenRecord) -> Iterator[float]:
    """The reader's logit that the record answers each phrase, taken for a question."""
    for phrase in phrases_of(of):
        yield reader.score(phrase, [("", of.text)])[0].answerable


def phrases_of(of: WrittenRecord) -> tuple[str, ...]:
    """All phrases of a record, those that fit first."""
    return (*of.fits, *of.others)


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(prog="benchmarks.phrases", description=__doc__)
    parser.add_argument("--each", type=int, help="records of a language, by seed; all without it")
    each = parser.parse_args().each
    kernel = encoder_kernel()
    encoder = open_encoder(Path(EmbeddingSettings().model), num_threads=2, kernel=kernel)
    reader = load_scorer(Path(ReaderSettings().model), 2, kernel)
    print(
        "| | records | pairs | encoder: area, found | reader: area, found |\n|---|---|---|---|---|"
    )
    for name, is_zh in (("Chinese", True), ("English", False)):
        of = [one for one in records(held=True) if is_chinese(one.text) == is_zh]
        of = random.Random(0).sample(of, min(each or len(of), len(of)))
        fits = np.array([float(p in one.fits) for one in of for p in phrases_of(one)])
        near = np.array([score for one in of for score in cosines(encoder, one)])
        read = np.array([score for one in of for score in answerables(reader, one)])
        told = (
            f"{area_under(s, fits):.3f}, {found_at(s, fits, PRECISION):.1%}" for s in (near, read)
        )
        print(f"| {name} | {len(of)} | {len(fits)} | {' | '.join(told)} |", flush=True)


if __name__ == "__main__":
    main()
