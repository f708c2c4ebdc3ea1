"""What a layer does between its products: norms, gates, rotary turns. Here in torch.

Knows the operations that a compiled kernel may take over; does not know layers or weights' names.

T tokens, C channels, F feed-forward size, N heads, D head dimension, R rotated dimensions.
"""

from typing import Protocol

import torch
import torch.nn.functional as F  # noqa: N812 -- the name every torch reader expects
from torch import Tensor

from llm.models.rope import rotate


class Pointwise(Protocol):
    """The operations; results have the type of the first argument."""

    def rms_norm(self, x: Tensor, weight: Tensor, eps: float) -> Tensor:
        """w * x / rms(x) for x (T, C), in float32 and cast once (Zhang & Sennrich 2019)."""
        ...

    def swiglu(self, gate_up: Tensor) -> Tensor:
        """silu(gate) * up (T, F) of (T, 2 F), gate being the first half (Shazeer 2020)."""
        ...

    def rotate(self, heads: Tensor, num_turned: int, cos: Tensor, sin: Tensor) -> Tensor:
        """The first `num_turned` of heads (T, N, D), turned by cos and sin (T, 1, R/2).

        They may be turned in place; the others stay as they are.
        """
        ...


class TorchPointwise:
    """The operations in torch, on every device: what the others are compared with."""

    def rms_norm(self, x: Tensor, weight: Tensor, eps: float) -> Tensor:
        """See Pointwise."""
        wide = x.float()
        scale = torch.rsqrt(wide.square().mean(-1, keepdim=True) + eps)
        return (weight * (wide * scale)).to(x.dtype)

    def swiglu(self, gate_up: Tensor) -> Tensor:
        """See Pointwise."""
        gate, up = gate_up.chunk(2, dim=-1)
        return F.silu(gate) * up

    def rotate(self, heads: Tensor, num_turned: int, cos: Tensor, sin: Tensor) -> Tensor:
        """See Pointwise."""
        return rotate(heads[:, :num_turned], cos, sin)


IN_TORCH = TorchPointwise()
