"""Compare the model with golden folders: config, weights, and what the reference computed.

A golden folder is a tiny checkpoint plus io.npz, with inputs and the reference's float32 logits
and greedy ids for one prompt, for a left-padded batch and for a continuation. Knows that format
and the tolerance; does not know how the values were made.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from llm.checkpoint import load_model
from llm.errors import CheckpointError

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor

    from llm.model import ChatGLM

TOLERANCE = 1e-5
GOLDEN_FILE = "io.npz"

Golden = Mapping[str, "NDArray[Any]"]


@dataclass(frozen=True, slots=True)
class ParityReport:
    """Largest absolute difference of any logit, and the checks whose ids differ."""

    largest_difference: float
    num_values: int
    wrong_ids: tuple[str, ...]

    @property
    def passed(self) -> bool:
        # Written so that NaN fails.
        return self.largest_difference <= TOLERANCE and not self.wrong_ids


@dataclass(frozen=True, slots=True)
class _Check:
    name: str
    logits: Tensor
    expected: Tensor
    ids: list[list[int]]
    expected_ids: list[list[int]]


def parity(folder: Path) -> ParityReport:
    """Run every check that the folder has values for, in float32 on the CPU.

    Raises:
        UnsupportedCheckpoint: a generation that is not read yet.
        CheckpointError: an unreadable folder, or one without golden values.
    """
    import torch

    model = load_model(folder, device="cpu", dtype="float32")
    golden = _read_golden(folder / GOLDEN_FILE)
    checks = [_prompt_check(model, golden)]
    if "greedy_ids" in golden:
        checks.append(_greedy_check(model, golden, "greedy", golden["input_ids"], None))
    if "batch_ids" in golden:
        checks.append(
            _greedy_check(model, golden, "batch_greedy", golden["batch_ids"], golden["batch_mask"])
        )
    if "chunk_logits" in golden:
        checks.append(_continuation_check(model, golden))
    differences = torch.stack([(check.logits - check.expected).abs().max() for check in checks])
    return ParityReport(
        largest_difference=float(differences.max()),  # a NaN among them stays
        num_values=sum(c.expected.numel() for c in checks),
        wrong_ids=tuple(c.name for c in checks if c.ids != c.expected_ids),
    )


def greedy_continuation(
    model: ChatGLM, ids: Tensor, num_tokens: int, mask: Tensor | None = None
) -> tuple[Tensor, Tensor]:
    """Extend a batch of ids (B, T) by argmax; mask (B, T) is 0 at left padding.

    Returns the ids with the new ones, (B, T + num_tokens), and the scores each new one was
    chosen from, (B, num_tokens, V).
    """
    import torch

    mask = torch.ones_like(ids) if mask is None else mask
    positions = (mask.cumsum(1) - 1).clamp(min=0)
    cache = model.new_cache(ids.shape[1] + num_tokens, batch=ids.shape[0])
    if not bool(mask.all()):
        cache.hide(mask == 0)
    scores = [model(ids, positions, cache)[:, -1]]
    for _ in range(num_tokens - 1):
        chosen = scores[-1].argmax(-1, keepdim=True)
        positions = positions[:, -1:] + 1
        ids = torch.cat((ids, chosen), dim=1)
        scores.append(model(chosen, positions, cache)[:, -1])
    ids = torch.cat((ids, scores[-1].argmax(-1, keepdim=True)), dim=1)
    return ids, torch.stack(scores, dim=1)


def _prompt_check(model: ChatGLM, golden: Golden) -> _Check:
    import torch

    ids = torch.from_numpy(golden["input_ids"])
    positions = torch.arange(ids.shape[1]).expand_as(ids)
    logits = model(ids, positions, model.new_cache(ids.shape[1], batch=ids.shape[0]))
    return _Check("logits", logits, torch.from_numpy(golden["logits"]), [], [])


def _greedy_check(
    model: ChatGLM, golden: Golden, name: str, prompt: NDArray[Any], mask: NDArray[Any] | None
) -> _Check:
    import torch

    expected_ids = golden[f"{name}_ids"]
    expected = torch.from_numpy(golden[f"{name}_logits"])
    ids, logits = greedy_continuation(
        model,
        torch.from_numpy(prompt),
        expected.shape[1],
        None if mask is None else torch.from_numpy(mask),
    )
    return _Check(f"{name}_ids", logits, expected, ids.tolist(), expected_ids.tolist())


def _continuation_check(model: ChatGLM, golden: Golden) -> _Check:
    """The last tokens fed behind a cache that holds the first ones."""
    import torch

    ids = torch.from_numpy(golden["input_ids"])
    expected = torch.from_numpy(golden["chunk_logits"])
    split = ids.shape[1] - expected.shape[1]
    positions = torch.arange(ids.shape[1])[None]
    cache = model.new_cache(ids.shape[1])
    model(ids[:, :split], positions[:, :split], cache)
    logits = model(ids[:, split:], positions[:, split:], cache)
    return _Check("chunk_logits", logits, expected, [], [])


def _read_golden(path: Path) -> dict[str, NDArray[Any]]:
    import numpy as np

    try:
        with np.load(path, allow_pickle=False) as archive:
            golden = {name: archive[name] for name in archive.files}
    except (OSError, ValueError) as error:
        raise CheckpointError(f"cannot read {path}: {error}") from error
    missing = {"input_ids", "logits"} - golden.keys()
    if missing:
        raise CheckpointError(f"{path} lacks {', '.join(sorted(missing))}")
    return golden
