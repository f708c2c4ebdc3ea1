"""A quantised model on the CPU with compiled kernels in all its parts, not its products alone.

Knows which parts those are, and finds out first whether they give torch's numbers here. A model
whose weights are not quantised is left to torch, number for number.
"""

import logging

from torch import Tensor, nn

from llm.kernels.cpu.native import NativeKernel
from llm.kernels.cpu.selection import cpu_kernel
from llm.kernels.paged_attention import TOLERANCE, largest_error
from llm.kernels.quantized_linear import QuantizedLinear
from llm.models.attention import PagedAttention
from llm.models.config import ModelConfig
from llm.models.model import Attention, RMSNorm, SwiGLU

log = logging.getLogger(__name__)

# Heads that share keys fill the lanes of a vector; below half of sixteen torch is faster.
MIN_SHARING_HEADS = 8


def use_compiled(model: nn.Module) -> NativeKernel | None:
    """Give a quantised model the compiled kernel, if this machine has one; which one it is."""
    modules = list(model.modules())
    if not any(isinstance(module, QuantizedLinear) for module in modules):
        return None
    kernel = cpu_kernel()
    if not isinstance(kernel, NativeKernel):
        return None
    types = {weight.dtype for weight in model.parameters()}
    if len(types) > 1 or not types <= NativeKernel.TYPES:
        return None  # a kernel takes all tensors of a call in one type
    if any(weight.device.type != "cpu" for weight in model.parameters()):
        return None  # layers may lie on several devices, and a kernel reads the CPU's memory only
    for module in modules:
        if isinstance(module, RMSNorm | SwiGLU | Attention):
            module.pointwise = kernel
    return kernel


def compiled_attention(
    kernel: NativeKernel, config: ModelConfig, keys: Tensor
) -> PagedAttention | None:
    """The kernel's attention over a layer's keys (N, page, G, D), where it is right and faster."""
    if config.num_heads < MIN_SHARING_HEADS * config.num_kv_groups:
        return None
    error = largest_error(kernel.attend, config, keys)
    if not error <= TOLERANCE[keys.dtype]:
        log.warning("the compiled attention is wrong by %.2g here and not used", error)
        return None
    log.info("the compiled attention is right within %.2g", error)
    return kernel.attend
