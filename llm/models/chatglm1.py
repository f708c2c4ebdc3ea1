"""The first generation: ChatGLM-6B, and GLM-130B as a variant of it.

Knows its feed-forward layers and its rules for prompts: everything before the start token is
seen from both sides, and from there on positions freeze at the mask. The block is the common
one: layer norms, biases and the scaled residual of the normalised stream are values of the config.

T tokens, C channels, F feed-forward size.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F  # noqa: N812 -- the name every torch reader expects
from torch import Tensor, nn

from llm.errors import CheckpointError, InvalidPrompt
from llm.models.batch import PromptLayout
from llm.models.config import ModelConfig, PromptMarks
from llm.models.model import ChatGLM


@dataclass(frozen=True, slots=True)
class MaskedLayout(PromptLayout):
    """Positions that stop at `frozen_at`, if given, once the prompt has ended.

    With two axes the second counts 1, 2, 3, … from the start token on and is 0 before it.
    """

    frozen_at: int | None = None
    num_axes: int = 1

    def positions(self, start: int, stop: int) -> Tensor:
        """Positions (stop - start, A) of the tokens with the indices start to stop."""
        index = torch.arange(start, stop)
        first = index
        if self.frozen_at is not None:
            first = torch.where(index < self.num_bidirectional, index, self.frozen_at)
        if self.num_axes == 1:
            return first.unsqueeze(1)
        second = (index - self.num_bidirectional + 1).clamp(min=0)
        return torch.stack((first, second), dim=1)


class GELU(nn.Module):
    """down(gelu(up(x))) with the tanh form of GELU (Hendrycks & Gimpel 2016)."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        bias = config.linear_bias
        self.up = nn.Linear(config.hidden_size, config.ffn_size, bias=bias)
        self.down = nn.Linear(config.ffn_size, config.hidden_size, bias=bias)

    def forward(self, x: Tensor) -> Tensor:
        return self.down(F.gelu(self.up(x), approximate="tanh"))


class GEGLU(nn.Module):
    """down(value * gelu(gate)), value being the first half of one projection (Shazeer 2020)."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        bias = config.linear_bias
        self.value_gate = nn.Linear(config.hidden_size, 2 * config.ffn_size, bias=bias)
        self.down = nn.Linear(config.ffn_size, config.hidden_size, bias=bias)

    def forward(self, x: Tensor) -> Tensor:
        value, gate = self.value_gate(x).chunk(2, dim=-1)  # (T, F) each
        return self.down(value * F.gelu(gate))


class ChatGLM1(ChatGLM):
    """A model whose prompts end with a mask and a start token, and are seen from both sides."""

    @staticmethod
    def new_feed_forward(config: ModelConfig) -> nn.Module:
        """The feed-forward part of one layer."""
        return GELU(config) if config.activation == "gelu" else GEGLU(config)

    def layout(self, prompt_ids: Sequence[int]) -> PromptLayout:
        """Where the tokens of a sequence that starts with these ids stand.

        Raises:
            InvalidPrompt: without a start token, or without a mask.
        """
        marks = self.config.prompt_marks
        if marks is None:
            raise CheckpointError("a model of the first generation needs the ids of its marks")
        ids = list(prompt_ids)
        if marks.start_id not in ids:
            raise InvalidPrompt(f"the prompt lacks the start token, id {marks.start_id}")
        start = ids.index(marks.start_id)
        mask_id, mask_at = _mask(ids, start, marks)
        freezes = marks.gmask_freezes or mask_id != marks.gmask_id
        return MaskedLayout(
            num_bidirectional=start,
            frozen_at=mask_at if freezes else None,
            num_axes=self.config.rope_axes,
        )


def _mask(ids: list[int], start: int, marks: PromptMarks) -> tuple[int, int]:
    """Id and index of the mask to fill: one before the start wherever there is one."""
    for part in (ids[:start], ids):
        for mask_id in (marks.gmask_id, *marks.mask_ids):
            if mask_id in part:
                return mask_id, part.index(mask_id)
    accepted = ", ".join(map(str, (marks.gmask_id, *marks.mask_ids)))
    raise InvalidPrompt(f"the prompt lacks a mask; expected one of the ids {accepted}")
