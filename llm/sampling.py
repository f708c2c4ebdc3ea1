"""From one row of scores to one token: pure functions in the order of the released code.

Repetition penalty, then temperature, top-k, top-p, then the draw. Knows no tokens' meaning.

V vocabulary, K candidates left.
"""

import torch
from torch import Tensor

from llm.errors import NonFiniteLogits
from llm.generation import SamplingParams


def new_generator(seed: int | None) -> torch.Generator:
    """A CPU generator: the same seed draws the same tokens on every device."""
    generator = torch.Generator("cpu")
    if seed is None:
        generator.seed()
    else:
        generator.manual_seed(seed)
    return generator


def sample(
    logits: Tensor, params: SamplingParams, seen_ids: Tensor, generator: torch.Generator
) -> int:
    """Choose one id from logits (V,) after the ids in seen_ids (any length).

    Raises:
        NonFiniteLogits: NaN or infinity among the scores.
    """
    scores = logits.detach().to(device="cpu", dtype=torch.float32)
    require_finite(scores)
    scores = penalise_repetition(scores, seen_ids, params.repetition_penalty)
    if params.greedy:
        return int(scores.argmax())
    probabilities, candidates = distribution(scores, params)
    return int(candidates[torch.multinomial(probabilities, 1, generator=generator)])


def require_finite(scores: Tensor) -> None:
    """Raise NonFiniteLogits unless every score is a finite number."""
    bad = int((~torch.isfinite(scores)).sum())
    if bad:
        raise NonFiniteLogits(f"{bad} of {scores.numel()} scores are NaN or infinite")


def penalise_repetition(scores: Tensor, seen_ids: Tensor, penalty: float) -> Tensor:
    """Divide positive and multiply negative scores (V,) of seen ids (CTRL, Keskar et al. 2019)."""
    if penalty == 1.0 or seen_ids.numel() == 0:
        return scores
    ids = torch.unique(seen_ids)
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
