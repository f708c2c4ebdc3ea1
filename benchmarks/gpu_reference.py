"""transformers' GlmForCausalLM over the very tensors of one of our models: a baseline and oracle.

The architecture is that of the second and third generation, so no weight is copied: q, k and v
are views into our fused projection.
"""

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from llm.models.config import ModelConfig
from llm.models.model import ChatGLM

if TYPE_CHECKING:
    from transformers import GlmConfig


class Reference:
    """The same model as transformers runs it."""

    def __init__(self, model: ChatGLM, max_memory: float = 0.3) -> None:
        from transformers import GlmForCausalLM
        from transformers.models.glm.modeling_glm import GlmRotaryEmbedding

        config = _config(model.config)
        with torch.device("meta"):
            self.model = GlmForCausalLM(config)
        self.model.load_state_dict(_state(model), assign=True)
        self.model.model.rotary_emb = GlmRotaryEmbedding(config).to(model.device)
        self.model.eval().requires_grad_(requires_grad=False)
        self._device = model.device
        self._max_memory = max_memory

    @torch.inference_mode()
    def logits(self, ids: Sequence[int]) -> Tensor:
        """Scores (T, V) behind every id."""
        scores: Tensor = self.model(torch.tensor([ids], device=self._device)).logits[0]
        return scores

    def decode_s(self, ids: Sequence[int], num_tokens: int, cache: str | None) -> float:
        """Seconds for `num_tokens` greedy tokens behind the first, with this kind of cache.

        A static cache makes transformers compile the step on a GPU; the first call waits for it.
        """
        long, short = (self._generate_s(ids, num, cache) for num in (num_tokens + 1, 1))
        return long - short

    def batch_tokens_per_s(self, prompts: Sequence[Sequence[int]], num_tokens: int) -> float:
        """Generated tokens over wall seconds of its continuous batching, after a warm-up."""
        from transformers import GenerationConfig

        def run(num: int) -> float:
            kind = GenerationConfig(do_sample=False, max_new_tokens=num, eos_token_id=-1)
            start = time.perf_counter()
            found = self.model.generate_batch(
                [list(ids) for ids in prompts], generation_config=kind, **self._batching()
            )
            elapsed_s = time.perf_counter() - start
            counts = [len(each.generated_tokens) for each in found.values()]
            if counts != [num] * len(prompts):
                raise RuntimeError(
                    f"generate_batch made {counts} tokens; {num} each were asked for"
                )
            return elapsed_s

        run(2)
        return len(prompts) * num_tokens / run(num_tokens)

    def _generate_s(self, ids: Sequence[int], num_tokens: int, cache: str | None) -> float:
        kind: dict[str, Any] = {"cache_implementation": cache} if cache else {}
        prompt = torch.tensor([ids], device=self._device)
        _wait(self._device)
        start = time.perf_counter()
        found = self.model.generate(
            prompt, attention_mask=torch.ones_like(prompt), do_sample=False, eos_token_id=None,
            min_new_tokens=num_tokens, max_new_tokens=num_tokens, **kind,
        )  # fmt: skip
        _wait(self._device)
        elapsed_s = time.perf_counter() - start
        if found.shape[1] != len(ids) + num_tokens:
            raise RuntimeError(
                f"generate made {found.shape[1] - len(ids)} tokens, not {num_tokens}"
            )
        return elapsed_s

    def _batching(self) -> dict[str, Any]:
        """Leave memory to the other engine, in versions that can be told so."""
        import transformers

        kind = getattr(
            transformers.generation.configuration_utils, "ContinuousBatchingConfig", None
        )
        if kind is None or self._device.type != "cuda":
            return {}
        return {"continuous_batching_config": kind(max_memory_percent=self._max_memory)}


def _config(config: ModelConfig) -> "GlmConfig":
    from transformers import GlmConfig

    return GlmConfig(
        vocab_size=config.vocab_size,
        hidden_size=config.hidden_size,
        intermediate_size=config.ffn_size,
        num_hidden_layers=config.num_layers,
        num_attention_heads=config.num_heads,
        num_key_value_heads=config.num_kv_groups,
        head_dim=config.head_dim,
        max_position_embeddings=config.max_context,
        rms_norm_eps=config.norm_eps,
        rope_parameters={
            "rope_type": "default",
            "rope_theta": config.rope_base,
            "partial_rotary_factor": config.rope_dim / config.head_dim,
        },
        attention_bias=config.qkv_bias,
        tie_word_embeddings=False,
        eos_token_id=None,
        pad_token_id=0,
    )


def _state(model: ChatGLM) -> dict[str, Tensor]:
    """Our tensors under transformers' names."""
    state = {
        "model.embed_tokens.weight": model.embedding.weight,
        "model.norm.weight": model.final_norm.weight,
        "lm_head.weight": model.head.weight,
    }
    config = model.config
    groups = config.num_kv_groups * config.head_dim
    sizes = [config.num_heads * config.head_dim, groups, groups]
    for number, block in enumerate(model.layers):
        layer = f"model.layers.{number}"
        for kind, fused in block.attention.qkv.named_parameters():
            for name, part in zip("qkv", torch.split(fused, sizes), strict=True):
                state[f"{layer}.self_attn.{name}_proj.{kind}"] = part
        state[f"{layer}.self_attn.o_proj.weight"] = block.attention.out.weight
        state[f"{layer}.mlp.gate_up_proj.weight"] = block.mlp.gate_up.weight
        state[f"{layer}.mlp.down_proj.weight"] = block.mlp.down.weight
        state[f"{layer}.input_layernorm.weight"] = block.input_norm.weight
        state[f"{layer}.post_attention_layernorm.weight"] = block.post_norm.weight
    return state


def _wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
