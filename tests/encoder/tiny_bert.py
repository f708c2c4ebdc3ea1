"""An encoder with random weights in the layout that the service reads, made on the spot."""

from pathlib import Path

import numpy as np

from kb_service.encoder.arithmetic import FloatArray
from training.encoder.package import Papers, package
from training.encoder.tokens import unigram_tokenizer

LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789?:.</>\u3002\uff1f火灾爆炸泄漏原因人员"
PIECES = [
    *((name, 0.0) for name in ("<s>", "<pad>", "</s>", "<unk>")),
    *((letter, -8.0) for letter in f"\u2581{LETTERS}"),
    ("火灾", -4.0),
    ("\u2581fire", -4.0),
]
PROMPTS = {"query": "query: ", "passage": "passage: "}
CONFIDENCE = {"margin": 0.2, "answerable": 0.05, "bias": -1.5}


def tiny_tensors(
    num_layers: int = 2, num_channels: int = 16, max_tokens: int = 64, seed: int = 3
) -> dict[str, FloatArray]:
    """The tensors of a BertModel with one word for each piece."""
    random = np.random.default_rng(seed)
    inner = 2 * num_channels

    def of(*size: int) -> FloatArray:
        return random.standard_normal(size, dtype=np.float32) / np.float32(np.sqrt(num_channels))

    tensors = {
        "embeddings.word_embeddings.weight": of(len(PIECES), num_channels),
        "embeddings.position_embeddings.weight": of(max_tokens, num_channels),
        "embeddings.token_type_embeddings.weight": of(2, num_channels),
        "embeddings.LayerNorm.weight": 1 + of(num_channels),
        "embeddings.LayerNorm.bias": of(num_channels),
    }
    square, wide, narrow = (num_channels,) * 2, (inner, num_channels), (num_channels, inner)
    matrices = dict.fromkeys((f"attention.self.{n}" for n in ("query", "key", "value")), square)
    matrices |= {"attention.output.dense": square, "intermediate.dense": wide}
    matrices |= {"output.dense": narrow}
    for at in (f"encoder.layer.{number}" for number in range(num_layers)):
        for name, size in matrices.items():
            tensors[f"{at}.{name}.weight"] = of(*size)
            tensors[f"{at}.{name}.bias"] = of(size[0])
        for name in ("attention.output.LayerNorm", "output.LayerNorm"):
            tensors[f"{at}.{name}.weight"] = 1 + of(num_channels)
            tensors[f"{at}.{name}.bias"] = of(num_channels)
    return tensors


def write_tiny_encoder(
    folder: Path, heads: dict[str, FloatArray] | None = None, **size: int
) -> Path:
    """Write weights, configuration, tokenizer, papers and checksums; the same each time."""
    config = {"prompts": PROMPTS, "pooling": "mean", "confidence": CONFIDENCE}
    papers = Papers("card", "licence", config)
    tokenizer = unigram_tokenizer(PIECES).to_str()
    state, keep = tiny_tensors(**size), range(len(PIECES))
    package(state, heads or {}, tokenizer, folder, keep, papers, num_heads=2)
    return folder
