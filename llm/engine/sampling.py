"""From one row of scores to one token: pure functions in the order of the released code.

Restriction, repetition penalty, then temperature, top-k, top-p, then the draw. Knows no tokens'
meaning.

V vocabulary, K candidates left.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from llm.constraints import Restriction
from llm.decoding import GeneratedToken, SamplingParams
from llm.errors import NonFiniteLogits


def new_generator(seed: int | None) -> torch.Generator:
    """A CPU generator: the same seed draws the same tokens on every device."""
    generator = torch.Generator("cpu")
    if seed is None:
        generator.seed()
    else:
        generator.manual_seed(seed)
    return generator


def sample(
    scores: Tensor,
    params: SamplingParams,
    seen_ids: Sequence[int],
    generator: torch.Generator,
    restriction: Restriction | None = None,
) -> GeneratedToken:
    """Choose one id from float32 scores (V,) on the CPU, after the ids in seen_ids.

    Raises:
        NonFiniteLogits: NaN or infinity among the scores.
    """
    require_finite(scores)
    usable = scores if restriction is None else restrict(scores, restriction)
    usable = penalise_repetition(usable, seen_ids, params.repetition_penalty)
    if params.greedy:
        chosen = int(usable.numpy().argmax())
    else:
        probabilities, candidates = distribution(usable, params)
        chosen = int(candidates[torch.multinomial(probabilities, 1, generator=generator)])
    if params.top_logprobs is None:
        return GeneratedToken(chosen)
    return GeneratedToken(chosen, None, *log_probabilities(scores, chosen, params.top_logprobs))


def require_finite(scores: Tensor) -> None:
    """Raise NonFiniteLogits unless every score is a finite number."""
    # By numpy: torch would wake its threads for it, which costs more than the work.
    num_finite = int(np.count_nonzero(np.isfinite(scores.numpy())))
    if num_finite < scores.numel():
        bad = scores.numel() - num_finite
        raise NonFiniteLogits(f"{bad} of {scores.numel()} scores are NaN or infinite")


def restrict(scores: Tensor, restriction: Restriction) -> Tensor:
    """Scores (V,) with every id that may not be chosen made impossible."""
    ids = torch.tensor(restriction.ids)
    if restriction.forbids:
        return scores.index_fill(0, ids, float("-inf"))
    return torch.full_like(scores, float("-inf")).scatter(0, ids, scores[ids])


def penalise_repetition(scores: Tensor, seen_ids: Sequence[int], penalty: float) -> Tensor:
    """Divide positive and multiply negative scores (V,) of seen ids (CTRL, Keskar et al. 2019)."""
    if penalty == 1.0 or not seen_ids:
        return scores
    ids = torch.unique(torch.tensor(seen_ids))
    seen = scores[ids]
    return scores.scatter(0, ids, torch.where(seen > 0, seen / penalty, seen * penalty))


def distribution(scores: Tensor, params: SamplingParams) -> tuple[Tensor, Tensor]:
    """Probabilities (K,) in falling order and the ids (K,) they belong to, after all filters."""
    num_kept = min(params.top_k or scores.numel(), scores.numel())
    top, ids = torch.topk(scores / params.temperature, num_kept)
    probabilities = torch.softmax(top, dim=0)
    # The smallest head of the list that holds top_p of the mass; never empty (Holtzman 2019).
    before = probabilities.cumsum(0) - probabilities
    kept = before < params.top_p
    probabilities = probabilities[kept]
    return probabilities / probabilities.sum(), ids[kept]


def log_probabilities(
    scores: Tensor, chosen: int, num_top: int
) -> tuple[float, tuple[tuple[int, float], ...]]:
    """Natural logarithms of the model's probabilities: of the chosen id, and the top ids' pairs."""
    logs = torch.log_softmax(scores, dim=0)
    values, ids = torch.topk(logs, min(num_top, logs.numel()))
    pairs = zip(ids.tolist(), values.tolist(), strict=True)
    return float(logs[chosen]), tuple(pairs)
