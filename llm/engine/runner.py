"""Where a step's scores come from: the plain forward pass, or recorded steps of fixed shapes.

Knows how to lay decoding sequences into rows of a fixed number, and trusts a fixed shape only
after it has given the plain pass's numbers here. Does not know sequences, sampling or kernels.

B rows (tokens that decode or are verified, and padding), A rotary axes, P pages a row may have,
V vocabulary.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Protocol

import torch
from torch import Tensor

from llm.engine.scheduler import EngineLimits
from llm.kernels.cpu.compiled import compiled_attention, use_compiled
from llm.kernels.gpu.linear import to_gpu_modules
from llm.kernels.paged_attention import TOLERANCE, choose, relative_error
from llm.models.attention import MAX_SINGLE_QUERIES, PagedAttention
from llm.models.batch import TokenSlice, lay_out
from llm.models.kv_cache import KVCache
from llm.models.model import ChatGLM
from llm.models.rope import rotation

log = logging.getLogger(__name__)

# Beyond so many rows a step is bound by arithmetic, and padding to a power of 2 costs real time.
MAX_ROWS = 256
WARM_UP_RUNS = 2

Run = Callable[[], Tensor]
# Records what a call does on the device; calling the result does it again, on what the same
# buffers hold by then, and returns the same output buffer.
Capture = Callable[[Run], Run]


class Runner(Protocol):
    """Computes steps over one cache, whose last page belongs to nobody."""

    def run(self, slices: Sequence[TokenSlice], nums_scored: Sequence[int]) -> Computed:
        """Cache the tokens of slices, and score what may follow their last `nums_scored`."""
        ...


@dataclass(frozen=True, slots=True)
class Computed:
    """Scores (rows, V) after the scored tokens of all slices in order, valid until the next run.

    The scores tell of the scored tokens; `sound` tells of each slice whether the states of all
    its other tokens are numbers.
    """

    scores: Tensor
    sound: Sequence[bool]


def new_runner(model: ChatGLM, cache: KVCache, limits: EngineLimits, max_context: int) -> Runner:
    """The fastest runner that this model's device has; on a GPU quantised modules are replaced."""
    if model.device.type == "cuda":
        to_gpu_modules(model, model.dtype)
    devices = {weight.device for weight in model.parameters()}
    if model.device.type == "cpu":
        return PlainRunner(model, cache, _attention_on_cpu(model, cache))
    if model.device.type != "cuda" or len(devices) > 1 or model.config.num_prefix_tokens:
        return PlainRunner(model, cache)
    drafting = 1 + limits.max_draft_tokens if limits.max_drafting else 1
    most = max(limits.max_running, min(limits.max_drafting, limits.max_running) * drafting)
    rows = Rows(model, cache, min(_power_of_2(most), MAX_ROWS), max_context)
    attend = choose(model.config, cache.layer(0)[0])
    # One sequence decodes in the shape that also verifies its drafts: they cannot change a token.
    return StaticRunner(model, cache, rows, attend, CudaGraphs(model.device), drafting)


def _attention_on_cpu(model: ChatGLM, cache: KVCache) -> PagedAttention | None:
    """The compiled one for a quantised model; learned prefixes are no pages."""
    kernel = use_compiled(model)
    if kernel is None or model.config.num_prefix_tokens:
        return None
    return compiled_attention(kernel, model.config, cache.layer(0)[0])


class PlainRunner:
    """The ragged forward pass, for every step; decoding tokens may attend in a way of their own."""

    def __init__(
        self, model: ChatGLM, cache: KVCache, attend_pages: PagedAttention | None = None
    ) -> None:
        self._model = model
        self._cache = cache
        self._attend_pages = attend_pages

    def run(self, slices: Sequence[TokenSlice], nums_scored: Sequence[int]) -> Computed:
        """See Runner."""
        batch = lay_out(slices, self._cache.page_tokens, self._model.device)
        states = self._model.hidden(batch, self._cache, self._attend_pages)
        ends = [part.stop - num for part, num in zip(batch.slices, nums_scored, strict=True)]
        rows = [
            row
            for end, part in zip(ends, batch.slices, strict=True)
            for row in range(end, part.stop)
        ]
        sound = [True] * len(slices)
        if len(rows) < len(states):
            finite = states.isfinite().all(dim=-1).cpu()
            sound = [
                bool(finite[part.start : end].all())
                for end, part in zip(ends, batch.slices, strict=True)
            ]
        return Computed(self._model.head(states[rows]), sound)


class StaticRunner:
    """Decodes in fixed shapes, one for every power of 2 of rows; all else goes the plain way.

    The first step of each shape is computed by the plain pass too. The shape is recorded with
    blank rows and replayed on the real ones: where the numbers differ, or anything fails, it is
    left aside with a warning.
    """

    def __init__(
        self,
        model: ChatGLM,
        cache: KVCache,
        rows: Rows,
        attend: PagedAttention,
        capture: Capture,
        min_rows: int = 1,
    ) -> None:
        self._model = model
        self._cache = cache
        self._rows = rows
        self._attend = attend
        self._capture = capture
        self._min_rows = min_rows
        self._plain = PlainRunner(model, cache)
        self._runs: dict[int, Run | None] = {}  # None: the plain way

    def run(self, slices: Sequence[TokenSlice], nums_scored: Sequence[int]) -> Computed:
        """See Runner."""
        given = list(zip(slices, nums_scored, strict=True))
        decoding = [decodes(*each) for each in given]
        num_rows = sum(num for (_, num), fits in zip(given, decoding, strict=True) if fits)
        if not 0 < num_rows <= self._rows.max_rows:
            return self._plain.run(slices, nums_scored)
        fast = self._static([part for part, fits in zip(slices, decoding, strict=True) if fits])
        if all(decoding):
            return Computed(fast, [True] * len(slices))
        rest = [each for each, fits in zip(given, decoding, strict=True) if not fits]
        slow = self._plain.run(*zip(*rest, strict=True))
        return _merged(decoding, nums_scored, fast, slow)

    def _static(self, slices: Sequence[TokenSlice]) -> Tensor:
        """Scores after every token of slices that decode."""
        nums = [len(part.ids) for part in slices]
        size = _power_of_2(max(sum(nums), self._min_rows))
        size = min(size, self._rows.max_rows)
        if size not in self._runs:
            return self._try(size, slices, nums)
        run = self._runs[size]
        if run is None:
            return self._plain.run(slices, nums).scores
        self._rows.fill(slices, size)
        return run()[: sum(nums)]

    def _try(self, size: int, slices: Sequence[TokenSlice], nums: Sequence[int]) -> Tensor:
        """Compute by the plain pass, and find out how steps of this size may be computed."""
        expected = self._plain.run(slices, nums).scores
        if not expected.isfinite().all():
            return expected  # a sequence that fails; nothing can be learned from it
        run = partial(self._step, size)
        self._runs[size] = None
        self._rows.fill(slices, size)
        if self._agrees("step", size, run, expected):
            self._runs[size] = run
            recorded = self._record(size, run)
            self._rows.fill(slices, size)
            if recorded and self._agrees("recorded step", size, recorded, expected):
                self._runs[size] = recorded
        return expected

    def _agrees(self, what: str, size: int, run: Run, expected: Tensor) -> bool:
        tolerance = TOLERANCE[expected.dtype]
        try:
            error = relative_error(run()[: len(expected)], expected)
        except Exception as failure:  # kernels, compilers and drivers have errors of their own
            log.warning("the %s of %d rows does not run here: %s", what, size, _shortly(failure))
            log.debug("how it failed", exc_info=True)
            return False
        if not error <= tolerance:
            log.warning("the %s of %d rows is wrong by %.2g; not used", what, size, error)
            return False
        log.info("the %s of %d rows is right within %.2g", what, size, error)
        return True

    def _record(self, size: int, run: Run) -> Run | None:
        self._rows.fill((), size)
        try:
            return self._capture(run)
        except Exception as failure:  # as above
            log.warning("the step of %d rows cannot be recorded: %s", size, _shortly(failure))
            log.debug("how it failed", exc_info=True)
            return None

    def _step(self, size: int) -> Tensor:
        ids, positions, slots, tables, lengths = self._rows.inputs(size)
        cos, sin = rotation(positions, self._model.config)
        step = StaticStep(self._cache, slots, tables, lengths, cos, sin, self._attend)
        return self._model.head(self._model.through(ids, step))


@dataclass(frozen=True, slots=True)
class StaticStep:
    """A step (model.AnyStep) in which every row is one token that sees all before it."""

    cache: KVCache
    slots: Tensor
    tables: Tensor
    lengths: Tensor
    cos: Tensor
    sin: Tensor
    attend: PagedAttention

    def mix(
        self, layer: int, query: Tensor, keys: Tensor, values: Tensor, prefix: Tensor | None
    ) -> Tensor:
        """Cache keys and values (B, G, D), then attend: (B, H, D). There is no prefix."""
        self.cache.write(layer, self.slots, keys, values)
        return self.attend(query, *self.cache.layer(layer), self.tables, self.lengths)


class Rows:
    """The inputs of fixed steps: one int32 row a token, in memory that never moves.

    A row holds id, slot, length, positions (A) and pages (P). Rows that pad a step write to the
    last page of the cache and see their own slot.
    """

    def __init__(self, model: ChatGLM, cache: KVCache, max_rows: int, max_context: int) -> None:
        self.max_rows = max_rows
        self._num_axes = model.config.rope_axes
        self._page_tokens = cache.page_tokens
        spare = cache.num_pages - 1
        self._blank = [0, spare * cache.page_tokens, 1, *[0] * self._num_axes, spare]
        shape = (max_rows, len(self._blank) - 1 + -(-max_context // cache.page_tokens))
        on_gpu = model.device.type == "cuda"
        self._filled = torch.zeros(shape, dtype=torch.int32, pin_memory=on_gpu)
        self._given = torch.zeros(shape, dtype=torch.int32, device=model.device)

    def fill(self, slices: Sequence[TokenSlice], size: int) -> None:
        """Lay slices into the first rows, and blanks behind them up to `size`."""
        lines = [line for part in slices for line in self._lines(part)]
        for row, line in enumerate([*lines, *[self._blank] * (size - len(lines))]):
            self._filled[row, : len(line)] = torch.tensor(line, dtype=torch.int32)
        self._given[:size].copy_(self._filled[:size])

    def inputs(self, size: int) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
        """Ids (B,), positions (B, A), slots (B,), tables (B, P) and lengths (B,)."""
        first_page = 3 + self._num_axes
        given = self._given[:size]
        ids, slots, lengths = given[:, :3].unbind(1)
        return (
            ids, given[:, 3:first_page], slots.long(), given[:, first_page:], lengths.contiguous()
        )  # fmt: skip

    def _lines(self, part: TokenSlice) -> list[list[int]]:
        stop = part.num_cached + len(part.ids)
        positions = part.layout.positions(part.num_cached, stop).tolist()
        pages = part.pages[: -(-stop // self._page_tokens)]
        lines = []
        for token_id, index, place in zip(
            part.ids, range(part.num_cached, stop), positions, strict=True
        ):
            page, offset = divmod(index, self._page_tokens)
            slot = pages[page] * self._page_tokens + offset
            lines.append([token_id, slot, index + 1, *place, *pages])
        return lines


class CudaGraphs:
    """Records steps as CUDA graphs, which share their working memory."""

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self._pool = torch.cuda.graph_pool_handle()

    def __call__(self, run: Run) -> Run:
        """See Capture. The first runs are not recorded: kernels are compiled in them."""
        with torch.cuda.device(self._device):
            for _ in range(WARM_UP_RUNS):
                run()
            graph = torch.cuda.CUDAGraph()
            # Other threads may use the device meanwhile; this one alone is being recorded.
            with torch.cuda.graph(graph, pool=self._pool, capture_error_mode="thread_local"):
                output = run()

        def replay() -> Tensor:
            graph.replay()
            return output

        return replay


def _merged(
    decoding: Sequence[bool], nums_scored: Sequence[int], fast: Tensor, slow: Computed
) -> Computed:
    """What decoding slices and the others gave, in the order of all."""
    left = {True: fast, False: slow.scores}
    sound = iter(slow.sound)
    parts = []
    for fits, num_scored in zip(decoding, nums_scored, strict=True):
        parts.append(left[fits][:num_scored])
        left[fits] = left[fits][num_scored:]
    return Computed(torch.cat(parts), [fits or next(sound) for fits in decoding])


def decodes(part: TokenSlice, num_scored: int) -> bool:
    """Whether a slice is a few tokens, all scored, behind everything seen from both sides."""
    few = 0 < len(part.ids) == num_scored <= MAX_SINGLE_QUERIES
    return few and part.layout.num_bidirectional <= part.num_cached


def _power_of_2(number: int) -> int:
    """The smallest power of 2 that is not below `number`, at least 1."""
    return 1 << (number - 1).bit_length()


def _shortly(failure: Exception) -> str:
    return f"{type(failure).__name__}: {str(failure)[:200]}"
