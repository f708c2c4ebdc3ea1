"""The forward pass of training: llm's own modules over packed rows, with auxiliary heads.

Knows batches of packed examples and what their losses are. The weights live in llm's model, so
that what is exported is what was trained. Does not know files, schedules or where rows come from.

B rows, T tokens of a row, H query heads, G key/value groups, D head dimension, C channels,
S scored positions, V vocabulary.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F  # noqa: N812 -- the name every torch reader expects
from torch import Tensor, nn

from kb_service.generation.pocket_prompt import MAX_EVIDENCE
from llm.models.model import ChatGLM
from llm.models.packed import block_forward, layers_of
from llm.models.rope import rotation
from training.reader.encoding import LABEL_BITS, NUMBER_SHIFT, Part
from training.reader.recipe import LossWeights

NUM_LABELS = len(LABEL_BITS) + MAX_EVIDENCE + 1


@dataclass(frozen=True, slots=True)
class Rows:
    """A batch: ids, positions, examples (B, T), labels (B, T) and the scored positions (S,).

    ``examples`` numbers the examples of a row from 1, 0 is padding. ``scored`` indexes the
    flattened (B * T) positions; ``targets`` and ``parts`` (S,) belong to them, and entries whose
    part is UNSCORED fill up.
    """

    ids: Tensor
    positions: Tensor
    examples: Tensor
    labels: Tensor
    scored: Tensor
    targets: Tensor
    parts: Tensor


@dataclass(frozen=True, slots=True)
class Losses:
    """The loss to minimise, the mean cross-entropy (nats) and the hits of each part, by Part."""

    total: Tensor
    sums: Tensor
    hits: Tensor
    counts: Tensor
    labels: Tensor


class AuxiliaryHeads(nn.Module):
    """Linear readers of middle layers that say what each token is; not exported."""

    def __init__(self, channels: int, layers: tuple[int, ...]) -> None:
        super().__init__()
        self.layers = layers
        self.heads = nn.ModuleList(nn.Linear(channels, NUM_LABELS) for _ in layers)

    def loss(self, states: list[Tensor], labels: Tensor) -> Tensor:
        """Mean loss over the labelled tokens: the five bits, and the sentence's number."""
        number = (labels >> NUMBER_SHIFT).flatten()
        inside = (number > 0).float()
        total = inside.sum().clamp(min=1)
        bits = torch.stack([(labels & bit) > 0 for bit in LABEL_BITS], dim=-1).flatten(0, 1)
        loss = states[0].new_zeros((), dtype=torch.float32)
        for head, state in zip(self.heads, states, strict=True):
            scores = head(state).flatten(0, 1).float()
            of_bits = F.binary_cross_entropy_with_logits(
                scores[:, : len(LABEL_BITS)], bits.float(), reduction="none"
            ).sum(-1)
            of_number = F.cross_entropy(scores[:, len(LABEL_BITS) :], number, reduction="none")
            loss = loss + ((of_bits + of_number) * inside).sum() / total
        return loss / len(self.heads)


class ReaderNetwork(nn.Module):
    """llm's model and the auxiliary heads, for packed rows."""

    def __init__(self, model: ChatGLM, weights: LossWeights) -> None:
        super().__init__()
        self.model = model
        depth = model.config.num_layers
        read = tuple(sorted({depth // 2, depth - 2}))
        self.auxiliary = AuxiliaryHeads(model.config.hidden_size, read)
        values = [0.0] * len(Part)
        for part in Part:
            if part is not Part.UNSCORED:
                values[part] = getattr(weights, part.name.lower())
        self.register_buffer("part_weights", torch.tensor(values), persistent=False)
        self.label_weight = weights.labels

    def states(self, rows: Rows) -> tuple[Tensor, list[Tensor]]:
        """Normalised states (B, T, C), and those behind the layers that have auxiliary heads."""
        model = self.model
        x = model.embedding(rows.ids)
        turn = rotation(rows.positions.flatten().unsqueeze(1), model.config)
        cos, sin = (part.view(*rows.ids.shape, 1, -1) for part in turn)  # (B, T, 1, R/2)
        seen = visible(rows.examples)
        middle: list[Tensor] = []
        for number, block in enumerate(layers_of(model)):
            x = block_forward(block, x, cos, sin, seen)
            if number in self.auxiliary.layers:
                middle.append(x)
        return model.final_norm(x), middle

    def forward(self, rows: Rows) -> Losses:
        """All losses of a batch."""
        states, middle = self.states(rows)
        scores = self.model.head(states.flatten(0, 1)[rows.scored]).float()  # (S, V)
        each = F.cross_entropy(scores, rows.targets, reduction="none")
        weight = self.get_buffer("part_weights")[rows.parts]
        of_labels = self.auxiliary.loss(middle, rows.labels)
        total = (each * weight).sum() / weight.sum().clamp(min=1e-6)
        belongs = F.one_hot(rows.parts, len(Part)).float()  # (S, P)
        hits = (scores.argmax(-1) == rows.targets).float()
        return Losses(
            total + self.label_weight * of_labels,
            each.detach() @ belongs,
            hits @ belongs,
            belongs.sum(0),
            of_labels.detach(),
        )


def visible(examples: Tensor) -> Tensor:
    """(B, 1, T, T): whether a token sees another: of its own example, and not behind it.

    Padding sees padding, so that no row of the attention is empty.
    """
    same = examples[:, :, None] == examples[:, None, :]
    length = examples.shape[1]
    causal = torch.ones(length, length, dtype=torch.bool, device=examples.device).tril()
    return (same & causal)[:, None]
