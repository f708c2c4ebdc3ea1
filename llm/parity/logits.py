"""Compare a model with a golden folder: everything that the reference computed and recorded.

A golden folder is a tiny checkpoint plus io.npz (see golden.py). Knows what each recorded array
is of ours, and the tolerance; does not know how the values were made.

B sequences, T tokens of one, P learned prefix tokens, G key/value groups, D head dimension,
V vocabulary.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from llm.checkpoints.checkpoint import load_model, read_config
from llm.checkpoints.weight_loader import pair_order
from llm.models import naive
from llm.models.batch import PromptLayout, TokenSlice, lay_out
from llm.models.config import ModelConfig
from llm.models.model import ChatGLM
from llm.models.rope import rotation
from llm.parity.golden import GoldenPrompt, golden_prompts, read_golden

if TYPE_CHECKING:
    from numpy.typing import NDArray

TOLERANCE = 1e-5
# Values that were computed in half precision agree to about its resolution.
HALF_TOLERANCE = 5e-3


@dataclass(frozen=True, slots=True)
class ArrayComparison:
    """One recorded array: its largest difference to ours, relative to values above 1.

    Of ids and masks every value has to be equal, so a tolerance of 0 stands there.
    """

    name: str
    num_values: int
    difference: float
    tolerance: float

    @property
    def passed(self) -> bool:
        # Written so that NaN fails.
        return self.difference <= self.tolerance


@dataclass(frozen=True, slots=True)
class ParityReport:
    """Every array that was compared, and the names of those that nothing is known about."""

    comparisons: tuple[ArrayComparison, ...]
    unknown: tuple[str, ...] = ()

    @property
    def num_values(self) -> int:
        return sum(each.num_values for each in self.comparisons)

    @property
    def largest_difference(self) -> float:
        """Of the arrays that were computed in float32; NaN if any value is."""
        found = [each.difference for each in self.comparisons if each.tolerance == TOLERANCE]
        return float(torch.tensor(found).max())

    @property
    def failed(self) -> tuple[str, ...]:
        """Arrays that differ by more than their tolerance."""
        return tuple(each.name for each in self.comparisons if not each.passed)

    @property
    def passed(self) -> bool:
        return bool(self.comparisons) and not self.failed


@dataclass(frozen=True, slots=True)
class Trace:
    """What one run of several sequences gave, one tensor for each."""

    states: list[Tensor]  # (T, C), normalised
    last_layer: list[Tensor]  # (T, C), not normalised
    first_layer: list[Tensor]  # (T, C)
    keys: list[Tensor]  # (P + T, G, D) of the first layer, in the checkpoint's order
    values: list[Tensor]


def parity(folder: Path, family: str | None = None) -> ParityReport:
    """Run every check that the folder has values for, in float32 on the CPU.

    Raises:
        CheckpointError: an unreadable folder, or one without golden values.
    """
    golden = read_golden(folder)
    prompts = golden_prompts(golden)
    family = family or _family_by_table(folder, golden)
    load = partial(load_model, folder, device="cpu", dequantize=True, family=family)
    model = load(dtype="float32")
    found: list[ArrayComparison] = []
    with torch.inference_mode():
        for prompt in prompts:
            found += _prompt_checks(model, prompt)
        if "rope_cache" in golden:
            found.append(_rope_check(model.config, golden["rope_cache"]))
        if "chunk_logits" in golden:
            found.append(_continuation_check(model, golden))
        if "logits_fp16" in golden:
            ours = naive.logits(load(dtype="float16"), golden["input_ids"].tolist())
            theirs = list(golden["logits_fp16"])
            found.append(_values("logits_fp16", ours, theirs, HALF_TOLERANCE))
    known = {each.name for each in found}.union(*(prompt.inputs for prompt in prompts))
    return ParityReport(tuple(found), tuple(sorted(golden.keys() - known)))


def greedy_continuation(
    model: ChatGLM, prompts: Sequence[Sequence[int]], num_tokens: int
) -> tuple[list[list[int]], list[Tensor]]:
    """Extend prompts side by side by argmax, reading each token once.

    Returns the new ids of each prompt, and the scores (num_tokens, V) they were chosen from.
    """
    longest = max(map(len, prompts)) + num_tokens
    cache = model.new_cache(len(prompts), longest)
    layouts = [model.layout(ids) for ids in prompts]
    sequences = [list(ids) for ids in prompts]
    num_cached = [0] * len(prompts)
    scores: list[Tensor] = []
    for _ in range(num_tokens):
        slices = [
            TokenSlice(ids[start:], num_cached=start, pages=(page,), layout=layout)
            for page, (ids, start, layout) in enumerate(
                zip(sequences, num_cached, layouts, strict=True)
            )
        ]
        batch = lay_out(slices, longest, model.device)
        states = model.hidden(batch, cache)
        scores.append(model.head(states[[part.stop - 1 for part in batch.slices]]))
        num_cached = [len(ids) for ids in sequences]
        for ids, chosen in zip(sequences, scores[-1].argmax(-1).tolist(), strict=True):
            ids.append(chosen)
    new = [ids[len(prompt) :] for ids, prompt in zip(sequences, prompts, strict=True)]
    return new, list(torch.stack(scores, dim=1))


def trace(model: ChatGLM, sequences: Sequence[Sequence[int]]) -> Trace:
    """Run whole sequences side by side and look inside."""
    longest = max(map(len, sequences))
    slices = [
        TokenSlice(ids, num_cached=0, pages=(page,), layout=model.layout(ids))
        for page, ids in enumerate(sequences)
    ]
    batch = lay_out(slices, longest, model.device)
    cache = model.new_cache(len(sequences), longest)
    inner: dict[int, Tensor] = {}
    last = model.config.num_layers - 1
    hooks = [
        model.layers[number].register_forward_hook(
            lambda _, __, out, number=number: inner.update({number: out})
        )
        for number in (0, last)
    ]
    states = model.hidden(batch, cache)
    for hook in hooks:
        hook.remove()
    cached = [cache.read(0, part.pages, part.num_tokens) for part in batch.slices]

    def rows(joined: Tensor) -> list[Tensor]:
        return [joined[part.start : part.stop] for part in batch.slices]

    return Trace(
        states=rows(states),
        last_layer=rows(inner[last]),
        first_layer=rows(inner[0]),
        keys=[_stored_order(model, _behind_prefix(model, 0, keys)) for keys, _ in cached],
        values=[_behind_prefix(model, 1, values) for _, values in cached],
    )


def _behind_prefix(model: ChatGLM, part: int, cached: Tensor) -> Tensor:
    """Keys (part 0) or values (part 1) of the first layer with the learned ones before them."""
    if not model.config.num_prefix_tokens:
        return cached
    return torch.cat((model.get_buffer("layers.0.attention.prefix")[part], cached))


def _stored_order(model: ChatGLM, keys: Tensor) -> Tensor:
    order = pair_order(model.config)
    return keys if order is None else keys[..., order.argsort()]


def _prompt_checks(model: ChatGLM, prompt: GoldenPrompt) -> Iterator[ArrayComparison]:
    """Every array that is recorded for one prompt."""
    arrays, names = prompt.arrays, prompt.names
    run = trace(model, prompt.sequences)
    for role, compare in _COMPARED.items():
        if role in arrays:
            yield _values(names[role], *compare(model, prompt, run))
    if "position_ids" in arrays:
        yield _position_check(model, prompt)
    mask = arrays.get("attention_mask")
    if mask is not None and mask.ndim > 2:
        yield _mask_check(model, prompt)
    if "greedy_ids" in arrays:
        yield from _greedy_checks(model, prompt)


Compared = tuple[list[Tensor], list["NDArray[Any]"]]


def _logits(model: ChatGLM, prompt: GoldenPrompt, run: Trace) -> Compared:
    logits = prompt.arrays["logits"]
    if logits.ndim == 2:  # of a classifier, which reads the last token
        last = torch.stack([states[-1] for states in run.states])
        return [model.classifier(last)], [logits]
    return [model.head(states) for states in run.states], prompt.kept_rows(logits)


def _first_layer(model: ChatGLM, prompt: GoldenPrompt, run: Trace) -> Compared:
    return run.first_layer, prompt.states("hidden_1")


def _last_states(model: ChatGLM, prompt: GoldenPrompt, run: Trace) -> Compared:
    """The second layout's code records its last states before their norm."""
    ours = run.last_layer if model.config.layout == "chatglm2" else run.states
    return ours, prompt.states("hidden_last")


def _keys(model: ChatGLM, prompt: GoldenPrompt, run: Trace) -> Compared:
    return run.keys, prompt.cached("key0", model.config.num_kv_groups)


def _cached_values(model: ChatGLM, prompt: GoldenPrompt, run: Trace) -> Compared:
    return run.values, prompt.cached("value0", model.config.num_kv_groups)


_COMPARED: Mapping[str, Callable[[ChatGLM, GoldenPrompt, Trace], Compared]] = {
    "logits": _logits,
    "hidden_1": _first_layer,
    "hidden_last": _last_states,
    "key0": _keys,
    "value0": _cached_values,
}


def _position_check(model: ChatGLM, prompt: GoldenPrompt) -> ArrayComparison:
    """Positions (B, T) or (B, 2, T); those of padding mean nothing."""
    positions = prompt.arrays["position_ids"]
    theirs = positions[:, None] if positions.ndim == 2 else positions
    ours = [model.layout(ids).positions(0, len(ids)) for ids in prompt.sequences]
    return _exactly(prompt.names["position_ids"], ours, prompt.kept_rows(theirs.swapaxes(1, 2)))


def _mask_check(model: ChatGLM, prompt: GoldenPrompt) -> ArrayComparison:
    """Which keys (B, 1, T, T) a query does not see; padding sees nothing and is not seen."""
    theirs = prompt.arrays["attention_mask"].reshape(*prompt.ids.shape, -1)
    ours = []
    for ids, kept in zip(prompt.sequences, prompt.kept, strict=True):
        hidden = torch.ones(theirs.shape[1:], dtype=torch.bool)
        real = torch.from_numpy(kept).nonzero()
        hidden[real, real.T] = _hidden(model.layout(ids), len(ids))
        ours.append(hidden)
    return _exactly(prompt.names["attention_mask"], ours, list(theirs))


def _hidden(layout: PromptLayout, num_tokens: int) -> Tensor:
    index = torch.arange(num_tokens)
    return (index > index[:, None]) & (index >= layout.num_bidirectional)


def _greedy_checks(model: ChatGLM, prompt: GoldenPrompt) -> Iterator[ArrayComparison]:
    ids = prompt.arrays["greedy_ids"][:, prompt.ids.shape[1] :]
    new, scores = greedy_continuation(model, prompt.sequences, ids.shape[1])
    yield _exactly(prompt.names["greedy_ids"], [torch.tensor(new)], [ids])
    if "greedy_logits" in prompt.arrays:
        expected = list(prompt.arrays["greedy_logits"])
        yield _values(prompt.names["greedy_logits"], scores, expected)


def _continuation_check(model: ChatGLM, golden: Mapping[str, NDArray[Any]]) -> ArrayComparison:
    """The last tokens of `input_ids` fed behind a cache that holds the first ones."""
    expected = golden["chunk_logits"]
    ids, num_new = golden["input_ids"].tolist(), expected.shape[1]
    split, longest = len(ids[0]) - num_new, len(ids[0])
    cache = model.new_cache(len(ids), longest)
    for start, stop in ((0, split), (split, longest)):
        slices = [
            TokenSlice(row[start:stop], start, (page,), model.layout(row))
            for page, row in enumerate(ids)
        ]
        states = model.hidden(lay_out(slices, longest, model.device), cache)
    return _values("chunk_logits", list(model.head(states).split(num_new)), list(expected))


def _rope_check(config: ModelConfig, expected: NDArray[Any]) -> ArrayComparison:
    """A table (T, R/2, 2) of cosines and sines."""
    positions = torch.arange(expected.shape[0]).unsqueeze(1).expand(-1, config.rope_axes)
    table = torch.stack(rotation(positions, config), dim=-1)[:, 0]
    return _values("rope_cache", [table], [expected])


def _family_by_table(folder: Path, golden: Mapping[str, NDArray[Any]]) -> str | None:
    """ChatGLM2 where only its reading of rope_ratio gives the recorded table; else undecided.

    A release says by its tokenizer code which of two meanings the key has; a golden folder has
    none.
    """
    if "rope_cache" not in golden or read_config(folder).layout != "chatglm2":
        return None
    given, second = (
        _rope_check(read_config(folder, family=each), golden["rope_cache"]).passed
        for each in (None, "chatglm2")
    )
    return "chatglm2" if second and not given else None


def _values(
    name: str, ours: list[Tensor], theirs: list[NDArray[Any]], tolerance: float = TOLERANCE
) -> ArrayComparison:
    """Compare floats: the difference relative to the largest value, or to 1 if that is smaller."""
    differences = [
        float((mine.float() - expected).abs().max() / expected.abs().max().clamp(min=1))
        if mine.shape == expected.shape
        else math.inf
        for mine, expected in zip(ours, map(torch.from_numpy, theirs), strict=True)
    ]
    return ArrayComparison(
        name, sum(each.size for each in theirs), _largest(differences), tolerance
    )


def _exactly(name: str, ours: list[Tensor], theirs: list[NDArray[Any]]) -> ArrayComparison:
    """Compare ids, positions or masks."""
    equal = [
        mine.shape == expected.shape and bool((mine == expected).all())
        for mine, expected in zip(ours, map(torch.from_numpy, theirs), strict=True)
    ]
    return ArrayComparison(
        name, sum(each.size for each in theirs), 0.0 if all(equal) else math.inf, 0.0
    )


def _largest(differences: list[float]) -> float:
    return float(torch.tensor(differences).max())  # a NaN among them stays
