"""Native GLM checkpoints against transformers: the same random weights, the same scores.

    python -m benchmarks.transformers_parity [--shape NAME …] [--tokens N]

transformers makes the weights, saves them in its own layout and computes float32 scores; we load
what it saved. Needs about twice the largest model in memory (real width: 4 GB).
"""

import argparse
import tempfile
from pathlib import Path
from typing import Any

import torch
from torch import nn

from llm.checkpoints.checkpoint import load_model
from llm.models import naive
from llm.parity.logits import greedy_continuation

SMALL = {"vocab_size": 256, "max_position_embeddings": 512, "pad_token_id": 0, "eos_token_id": [2]}
NARROW = {"hidden_size": 64, "intermediate_size": 96, "num_attention_heads": 4, "head_dim": 16}
WIDE = {"hidden_size": 4096, "intermediate_size": 13696, "num_attention_heads": 32}
# Sizes of each model, and the deviation of its weights that spreads scores over several units.
SHAPES: dict[str, tuple[dict[str, Any], float]] = {
    "28 layers, narrow": (
        SMALL | NARROW | {"num_hidden_layers": 28, "num_key_value_heads": 2},
        0.12,
    ),
    "GLM-4-1m, narrow": (
        SMALL
        | NARROW
        | {"num_hidden_layers": 40, "num_attention_heads": 8, "num_key_value_heads": 4}
        | {"rope_parameters": {"rope_type": "default", "rope_theta": 1e8}},
        0.12,
    ),
    "GLM-Edge, narrow": (
        SMALL
        | NARROW
        | {"num_hidden_layers": 6, "num_key_value_heads": 4, "attention_bias": False}
        | {"partial_rotary_factor": 1.0, "tie_word_embeddings": True, "rms_norm_eps": 1e-5},
        0.12,
    ),
    "2 layers, real width": (
        SMALL | WIDE | {"num_hidden_layers": 2, "num_key_value_heads": 2, "head_dim": 128},
        0.02,
    ),
}


def save_random_glm(folder: Path, sizes: dict[str, Any], spread: float, seed: int = 0) -> nn.Module:
    """Write a random float32 checkpoint and return the GlmForCausalLM that wrote it."""
    from transformers import GlmConfig, GlmForCausalLM

    torch.manual_seed(seed)
    config = GlmConfig(initializer_range=spread, **sizes)
    model = GlmForCausalLM(config).float().eval()
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if name.endswith("bias"):
                weight.normal_(0.0, 0.1)
            elif "norm" in name:
                weight.normal_(1.0, 0.1)
    model.save_pretrained(folder, max_shard_size="1GB")
    return model


def their_logits(model: nn.Module, ids: list[int]) -> torch.Tensor:
    """Scores (T, V) of one prompt by transformers."""
    with torch.no_grad():
        return model(torch.tensor([ids])).logits[0]


def their_greedy(model: nn.Module, ids: list[int], num_tokens: int) -> list[int]:
    """The ids that argmax appends, with transformers' own cache and no rule to stop."""
    fed, past, found = torch.tensor([ids]), None, list[int]()
    with torch.no_grad():
        for _ in range(num_tokens):
            out = model(fed, past_key_values=past, use_cache=True)
            past = out.past_key_values
            found.append(int(out.logits[0, -1].argmax()))
            fed = torch.tensor([found[-1:]])
    return found


def example_ids(num_tokens: int) -> list[int]:
    """A prompt of ids that do not repeat in order."""
    return [(7 * index * index + 3) % 256 for index in range(num_tokens)]


def compare(name: str, num_tokens: int) -> tuple[float, float, int]:
    """Largest difference of any score, the largest score, and greedy ids that agree of 24."""
    sizes, spread = SHAPES[name]
    ids = example_ids(num_tokens)
    with tempfile.TemporaryDirectory() as folder:
        theirs = save_random_glm(Path(folder), sizes, spread)
        expected, their_ids = their_logits(theirs, ids), their_greedy(theirs, ids, 24)
        del theirs
        ours = load_model(Path(folder), device="cpu", dtype="float32")
    (found,) = naive.logits(ours, [ids])
    with torch.inference_mode():
        ((our_ids,), _) = greedy_continuation(ours, [ids], 24)
    agree = sum(a == b for a, b in zip(our_ids, their_ids, strict=True))
    return float((found - expected).abs().max()), float(expected.abs().max()), agree


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shape", action="append", choices=SHAPES)
    parser.add_argument("--tokens", type=int, default=64)
    options = parser.parse_args()
    print("| shape | largest difference | largest score | relative | greedy ids equal |")
    print("|---|---|---|---|---|")
    for name in options.shape or SHAPES:
        difference, scale, agree = compare(name, options.tokens)
        print(
            f"| {name} | {difference:.1e} | {scale:.1f} | {difference / scale:.1e} | {agree}/24 |"
        )


if __name__ == "__main__":
    main()
