"""One step of work: the new tokens of several sequences, laid end to end.

Knows which token belongs to whom, where it stands and where its keys and values go. Does not
know why these tokens were chosen (scheduler.py) or what is computed from them (model.py).

T new tokens of all sequences together, A rotary axes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True, slots=True)
class PromptLayout:
    """Where the tokens of one sequence stand: 0, 1, 2, … each seeing itself and those before.

    The first `num_bidirectional` tokens are seen by every token of the sequence.
    """

    num_bidirectional: int = 0

    def positions(self, start: int, stop: int) -> Tensor:
        """Positions (stop - start, A) of the tokens with the indices start to stop."""
        return torch.arange(start, stop).unsqueeze(1)


@dataclass(frozen=True, slots=True)
class PlacedSlice:
    """A slice at its place in a batch: `num_new` tokens behind `num_cached` of its sequence.

    Its keys and values lie in `pages` (page numbers in order), which have room for all of them.
    """

    start: int
    num_new: int
    num_cached: int
    pages: Tensor
    num_bidirectional: int = 0

    @property
    def stop(self) -> int:
        return self.start + self.num_new

    @property
    def num_tokens(self) -> int:
        """Tokens that have keys and values once the step is done."""
        return self.num_cached + self.num_new


@dataclass(frozen=True, slots=True)
class Batch:
    """Ids (T,), positions (T, A) and cache slots (T,), and the slices that T falls into."""

    ids: Tensor
    positions: Tensor
    slots: Tensor
    slices: tuple[PlacedSlice, ...]


@dataclass(frozen=True, slots=True)
class TokenSlice:
    """A sequence's part of one step: what goes in, before the slices are laid end to end."""

    ids: Sequence[int]
    num_cached: int
    pages: Sequence[int]
    layout: PromptLayout


def lay_out(slices: Sequence[TokenSlice], page_tokens: int, device: torch.device | str) -> Batch:
    """Join slices into a batch on `device`; pages hold `page_tokens` slots each."""
    placed: list[PlacedSlice] = []
    positions: list[Tensor] = []
    slots: list[Tensor] = []
    ids: list[int] = []
    for part in slices:
        stop = part.num_cached + len(part.ids)
        pages = torch.tensor(part.pages[: -(-stop // page_tokens)])
        index = torch.arange(part.num_cached, stop)
        slots.append(pages[index // page_tokens] * page_tokens + index % page_tokens)
        positions.append(part.layout.positions(part.num_cached, stop))
        placed.append(
            PlacedSlice(
                start=len(ids),
                num_new=len(part.ids),
                num_cached=part.num_cached,
                pages=pages.to(device),
                num_bidirectional=part.layout.num_bidirectional,
            )
        )
        ids.extend(part.ids)
    return Batch(
        ids=torch.tensor(ids).to(device),
        positions=torch.cat(positions).to(device),
        slots=torch.cat(slots).to(device),
        slices=tuple(placed),
    )
