"""Learns the vectors of a bag-of-pieces model from pairs.

Knows torch tensors, batches and the loss. Does not know where pairs come from or how a model is
stored.

Row t of the table is ``exp(weight[t]) * (own[t] + mean of its shared components)``: pieces that
share characters start near each other, and a rare piece starts heavier than a frequent one
(smooth inverse frequency, Arora et al. 2017). Both are folded into one plain table at the end.

B pairs of a batch, V pieces, C components, D dimensions.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from training.seeding import seeded

IntArray = npt.NDArray[np.int32]
FloatArray = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class TrainingSettings:
    """How long and how hard to train. ``temperature`` divides cosine similarities."""

    dimension: int = 512
    batch_size: int = 1024
    num_steps: int = 300
    learning_rate: float = 5e-3
    temperature: float = 0.05
    max_passage_tokens: int = 160
    query_dropout: float = 0.1
    source_exponent: float = 0.7
    sif: float = 3e-4
    seed: int = 0
    num_threads: int = 2


@dataclass(frozen=True, slots=True)
class EncodedPair:
    """Piece ids of a pair; ``source`` and ``group`` as in training.pairs.Pair, as numbers.

    ``near``: groups whose passages are like the query; some of their pairs join it in its batch.
    """

    query: IntArray
    passage: IntArray
    source: int
    group: int
    near: tuple[int, ...] = ()


class FoldedTable(nn.Module):
    """The table while it is learnt; ``forward`` gives the plain (V, D) table."""

    def __init__(
        self, components: Sequence[Sequence[int]], counts: IntArray, settings: TrainingSettings
    ) -> None:
        super().__init__()
        num_pieces, dimension = len(components), settings.dimension
        num_components = 1 + max((max(row) for row in components if row), default=0)
        scale = dimension**-0.5
        self.own = nn.Parameter(torch.randn(num_pieces, dimension) * scale)
        self.shared = nn.Parameter(torch.randn(num_components, dimension) * scale)
        self.weight = nn.Parameter(initial_log_weights(counts, settings.sif))
        self.register_buffer("mixing", _mean_of_components(components, num_components))

    def forward(self) -> Tensor:
        mixing = self.get_buffer("mixing")
        rows = self.own + torch.sparse.mm(mixing, self.shared)
        table = rows * torch.exp(self.weight)[:, None]
        return torch.cat([torch.zeros_like(table[:1]), table[1:]])  # row 0: the unknown piece


def initial_log_weights(counts: IntArray, sif: float) -> Tensor:
    """Logarithm of a / (a + p) for each piece, p its relative frequency."""
    frequency = torch.from_numpy(counts.astype(np.float32)) / max(1, int(counts.sum()))
    return torch.log(sif / (sif + frequency))


def _mean_of_components(components: Sequence[Sequence[int]], num_components: int) -> Tensor:
    """(V, C) with 1 / sqrt(k) at each of the k components of a piece: keeps the norm at one."""
    cells = [
        (piece, component, len(row) ** -0.5)
        for piece, row in enumerate(components)
        for component in row
    ]
    indices = torch.tensor([[c[0] for c in cells], [c[1] for c in cells]], dtype=torch.long)
    values = torch.tensor([c[2] for c in cells])
    size = (len(components), num_components)
    return torch.sparse_coo_tensor(
        indices.reshape(2, -1), values, size, check_invariants=True
    ).coalesce()


def batches(
    pairs: Sequence[EncodedPair], settings: TrainingSettings
) -> Iterator[list[EncodedPair]]:
    """Endless batches, each of one source, larger sources more often by a damped share."""
    sources = by_source(pairs)
    shares = [len(source) ** settings.source_exponent for source in sources]
    return drawn(sources, shares, settings.batch_size, settings.seed)


def by_source(pairs: Sequence[EncodedPair]) -> list[list[EncodedPair]]:
    """The pairs of each source, in the order of the sources' numbers."""
    ordered = sorted(pairs, key=lambda pair: pair.source)
    return [list(group) for _, group in groupby(ordered, key=lambda pair: pair.source)]


def drawn(
    sources: Sequence[list[EncodedPair]], shares: Sequence[float], batch_size: int, seed: int
) -> Iterator[list[EncodedPair]]:
    """Endless batches, each of one source, chosen by its share; the lists are shuffled in place."""
    rng = seeded(seed)
    positions = [0] * len(sources)
    orders: list[list[EncodedPair]] = []
    for source in sources:
        rng.shuffle(source)
        orders.append(clustered(source))
    while True:
        chosen = rng.choices(range(len(sources)), weights=shares)[0]
        start = positions[chosen]
        if start + batch_size > len(sources[chosen]) and start > 0:
            rng.shuffle(sources[chosen])
            orders[chosen] = clustered(sources[chosen])
            start = 0
        positions[chosen] = start + batch_size
        yield orders[chosen][start : start + batch_size]


def clustered(pairs: Sequence[EncodedPair]) -> list[EncodedPair]:
    """The pairs in their order, but one pair of each near group is pulled up behind a pair."""
    waiting: dict[int, list[int]] = {}
    for index in range(len(pairs) - 1, -1, -1):
        waiting.setdefault(pairs[index].group, []).append(index)
    used: set[int] = set()
    order: list[EncodedPair] = []
    for index, pair in enumerate(pairs):
        if index in used:
            continue
        waiting[pair.group].remove(index)
        cluster = [index]
        cluster += [waiting[group].pop() for group in pair.near if waiting.get(group)]
        used.update(cluster)
        order += [pairs[member] for member in cluster]
    return order


def _thin(ids: IntArray, keep: int, rng: np.random.Generator) -> IntArray:
    if len(ids) <= keep:
        return ids
    return ids[rng.choice(len(ids), keep, replace=False)]


def embed_bags(table: Tensor, bags: Sequence[IntArray]) -> Tensor:
    """(B, D) L2-normalised sums; the mean and the sum have the same direction."""
    lengths = np.array([len(bag) for bag in bags])
    offsets = torch.from_numpy(np.concatenate([[0], np.cumsum(lengths)[:-1]]))
    ids = torch.from_numpy(np.concatenate(bags).astype(np.int64))
    sums = nn.functional.embedding_bag(ids, table, offsets, mode="sum")
    return nn.functional.normalize(sums, dim=1)


def contrastive_loss(queries: Tensor, passages: Tensor, groups: Tensor, scale: float) -> Tensor:
    """Symmetric cross-entropy over in-batch negatives (B, B).

    Texts of the same group are not counted as negatives of each other.
    """
    scores = queries @ passages.T * scale
    same = groups[:, None] == groups[None, :]
    labels = torch.arange(len(scores), device=scores.device)
    other = labels[:, None] != labels[None, :]
    scores = scores.masked_fill(same & other, float("-inf"))
    forward = nn.functional.cross_entropy(scores, labels)
    return (forward + nn.functional.cross_entropy(scores.T, labels)) / 2


def _bags(
    batch: Sequence[EncodedPair], settings: TrainingSettings, rng: np.random.Generator
) -> tuple[list[IntArray], list[IntArray]]:
    keep = 1 - settings.query_dropout
    queries = [_thin(p.query, max(3, round(len(p.query) * keep)), rng) for p in batch]
    return queries, [_thin(p.passage, settings.max_passage_tokens, rng) for p in batch]


def train_table(
    pairs: Sequence[EncodedPair],
    components: Sequence[Sequence[int]],
    counts: IntArray,
    settings: TrainingSettings,
    report: Callable[[int, float, FloatArray], None] | None = None,
    report_every: int = 100,
) -> FloatArray:
    """Train and return the folded (V, D) float32 table.

    Same inputs, settings and number of threads give the same table. ``report`` is called every
    ``report_every`` steps with the step, the mean loss since the last call and the table so far.
    """
    torch.set_num_threads(settings.num_threads)
    torch.manual_seed(settings.seed)
    rng = np.random.default_rng(settings.seed)
    table = FoldedTable(components, counts, settings)
    optimiser = torch.optim.Adam(table.parameters(), lr=settings.learning_rate, fused=True)
    warmup = max(1, settings.num_steps // 20)
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimiser,
        lambda step: min((step + 1) / warmup, (settings.num_steps - step) / settings.num_steps),
    )
    losses: list[float] = []
    for step, batch in zip(
        range(1, settings.num_steps + 1), batches(pairs, settings), strict=False
    ):
        queries, passages = _bags(batch, settings, rng)
        groups = torch.tensor([pair.group for pair in batch])
        weights = table()
        loss = contrastive_loss(
            embed_bags(weights, queries),
            embed_bags(weights, passages),
            groups,
            1 / settings.temperature,
        )
        optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call] # torch leaves it untyped
        optimiser.step()
        schedule.step()
        losses.append(loss.item())
        if report and step % report_every == 0:
            report(step, float(np.mean(losses)), _folded(table))
            losses.clear()
    return _folded(table)


def _folded(table: FoldedTable) -> FloatArray:
    with torch.no_grad():
        folded: FloatArray = table().numpy().astype(np.float32)
    return folded
