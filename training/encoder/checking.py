"""How far the sentence vectors of a packaged encoder are from those of the released one.

T tokens, C channels.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from pathlib import Path

import numpy as np
import numpy.typing as npt

from kb_service.encoder.bert import Bert, BertShape
from kb_service.encoder.folder import Encoder, open_encoder
from training.encoder.released import Released
from training.encoder.tokens import unigram_tokenizer
from training.encoder.vocabulary import texts_of

FloatArray = npt.NDArray[np.float32]
_MIN_CHARS, _MAX_CHARS = 12, 300


def similarities(released: Released, folder: Path, texts: Path, count: int) -> FloatArray:
    """The cosine of the two vectors of each of so many texts of a folder, spread over it."""
    chosen = sample(texts, count)
    shape = BertShape(released.shape.num_layers, released.shape.num_heads)
    whole = Encoder(Bert(released.tensors, shape), unigram_tokenizer(released.pieces), {})
    before, after = vectors(whole, chosen), vectors(open_encoder(folder), chosen)
    cosines: FloatArray = (before * after).sum(axis=1)
    return cosines


def sample(folder: Path, count: int) -> list[str]:
    """Texts of a folder at equal distances, cut to the length of a passage."""
    texts = [text[:_MAX_CHARS] for text in texts_of(folder) if len(text) >= _MIN_CHARS]
    return list(islice(texts[:: max(1, len(texts) // count)], count))


def vectors(encoder: Encoder, texts: Sequence[str]) -> FloatArray:
    """Unit vectors (N, C): the mean of the states of each text."""
    ids = [encoding.ids for encoding in encoder.tokenizer.encode_batch(list(texts))]
    means = np.stack([states.mean(axis=0) for states in encoder.bert.hidden(ids)])
    unit: FloatArray = means / np.linalg.norm(means, axis=1, keepdims=True)
    return unit
