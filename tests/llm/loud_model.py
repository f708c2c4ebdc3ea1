"""Tiny models whose greedy choices are clear, and what they say without any engine.

Random weights at the usual scale choose between near-ties, and rounding would decide. These are
eight times louder and compute in float64, so that two ways of computing differ by 1e-15 where
the first and second choice differ by 1e-4.
"""

from functools import cache

import torch

from llm.decoding import SamplingParams
from llm.engine.sampling import new_generator, sample
from llm.models import naive
from llm.models.build import random_model
from llm.models.config import ModelConfig, PromptMarks
from llm.models.model import ChatGLM
from tests.llm.tiny_checkpoint import tiny_config_json

VOCAB_SIZE = 96


def loud(config: ModelConfig, seed: int = 3) -> ChatGLM:
    model = random_model(config, seed, torch.float64)
    for parameter in model.parameters():
        if parameter.dim() == 2:
            parameter.mul_(8)
    return model


@cache
def loud_model(max_context: int = 128) -> ChatGLM:
    return loud(ModelConfig.from_json(tiny_config_json(VOCAB_SIZE, seq_length=max_context)))


@cache
def expected(
    model: ChatGLM, prompt: tuple[int, ...], params: SamplingParams, num_tokens: int
) -> list[int]:
    """What `params` choose after a prompt when every token is computed from nothing."""
    if params == SamplingParams(temperature=0):
        return naive.greedy(model, prompt, num_tokens)
    ids, generator = list(prompt), new_generator(params.seed)
    for _ in range(num_tokens):
        ids.append(sample(naive.logits(model, [ids])[0][-1].float(), params, ids, generator).id)
    return ids[len(prompt) :]


@cache
def loud_chatglm1(*, freezes: bool = True) -> ChatGLM:
    """Of the first generation: a prompt is seen from both sides up to its start token, id 1."""
    config = ModelConfig(
        num_layers=2,
        hidden_size=32,
        num_heads=4,
        num_kv_groups=4,
        head_dim=8,
        ffn_size=48,
        vocab_size=VOCAB_SIZE,
        max_context=128,
        norm_eps=1e-5,
        rope_dim=8,
        rope_axes=2,
        linear_bias=True,
        norm="layer",
        activation="gelu",
        residual_from_norm=True,
        residual_scale=2.0,
        prompt_marks=PromptMarks(start_id=1, gmask_id=2, mask_ids=(3,), gmask_freezes=freezes),
    )
    return loud(config)
