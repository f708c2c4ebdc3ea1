"""A tiny ChatGLM3 checkpoint that says one given sentence, whatever it is asked.

Real files, loaded and run by the real code. Attention and feed-forward add nothing; the output
layer maps the embedding of each token to the next token of the sentence.
"""

from itertools import pairwise
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file

from llm.tokenizers import TOKENIZER_FILE, ChatGLM3Tokenizer
from tests.llm.tiny_checkpoint import train_tiny_tokenizer, write_tiny_checkpoint

OUTPUT = "transformer.output_layer.weight"
EMBEDDING = "transformer.embedding.word_embeddings.weight"
SILENT = ("self_attention.dense.weight", "mlp.dense_4h_to_h.weight")


def write_scripted_checkpoint(folder: Path, sentence: str) -> Path:
    """Write the checkpoint; ValueError when the sentence has a token twice."""
    tokenizer_file = train_tiny_tokenizer(folder.parent / TOKENIZER_FILE)
    write_tiny_checkpoint(folder, tokenizer_file)
    tokenizer = ChatGLM3Tokenizer(tokenizer_file)
    script = [tokenizer.control_id("<|assistant|>"), *tokenizer.encode(sentence), tokenizer.eos_id]
    if len(set(script)) != len(script):
        raise ValueError(f"a token of {sentence!r} occurs twice: {script}")
    files = sorted(folder.glob("*.safetensors"))
    state = {key: value for file in files for key, value in load_file(file).items()}
    embedding = state[EMBEDDING]
    state[OUTPUT] = torch.zeros_like(state[OUTPUT])
    for token, following in pairwise(script):
        state[OUTPUT][following] = embedding[token] / embedding[token].norm()
    for file in files:
        shard = {key: _silenced(key, state[key]) for key in load_file(file)}
        save_file(shard, file, metadata={"format": "pt"})
    return folder


def _silenced(key: str, value: torch.Tensor) -> torch.Tensor:
    if key.endswith(SILENT):
        return torch.zeros_like(value)
    return torch.ones_like(value) if "layernorm" in key else value.clone()
