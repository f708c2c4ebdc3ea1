"""The forward pass: cache, slices and padding change nothing; a plain reference agrees."""

import json
import math
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from llm.models import attention, naive
from llm.models.batch import TokenSlice, lay_out
from llm.models.build import random_model
from llm.models.config import ModelConfig
from llm.models.model import ChatGLM
from llm.models.rope import rotation
from tests.llm.tiny_checkpoint import tiny_config_json

IDS = [5, 17, 3, 80, 41, 41, 9, 66, 2, 30]


def split_forward(model: ChatGLM, ids: list[int], lengths: list[int]) -> Tensor:
    """Scores of ids (T, V), fed in parts of these lengths into pages of 4 in mixed order."""
    cache = model.new_cache(8, 4)
    pages, scores, start = (6, 1, 7, 0), [], 0
    for length in lengths:
        part = TokenSlice(ids[start : start + length], start, pages, model.layout(ids))
        scores.append(model(lay_out([part], 4, "cpu"), cache))
        start += length
    return torch.cat(scores)


def reference_block(model: ChatGLM, index: int, x: Tensor) -> Tensor:
    """One layer in float64, head by head and pair by pair, straight from the formulas."""
    config, block = model.config, model.layers[index].double()
    time, dim = x.shape[0], config.head_dim

    def norm(y: Tensor, weight: Tensor) -> Tensor:
        return weight * y / (y.square().mean(-1, keepdim=True) + config.norm_eps).sqrt()

    def turned(y: Tensor) -> Tensor:
        out = y.clone()
        for p in range(time):
            for j in range(config.rope_dim // 2):
                angle = p * 10_000 ** (-2 * j / config.rope_dim)
                even, odd = float(y[p, 2 * j]), float(y[p, 2 * j + 1])
                out[p, 2 * j] = even * math.cos(angle) - odd * math.sin(angle)
                out[p, 2 * j + 1] = odd * math.cos(angle) + even * math.sin(angle)
        return out

    qkv = norm(x, block.input_norm.weight) @ block.attention.qkv.weight.T + block.attention.qkv.bias
    heads = []
    for head in range(config.num_heads):
        group = head // (config.num_heads // config.num_kv_groups)
        key_at = config.num_heads + group
        value_at = key_at + config.num_kv_groups
        q, k, v = (qkv[:, at * dim : (at + 1) * dim] for at in (head, key_at, value_at))
        scores = turned(q) @ turned(k).T / math.sqrt(dim)
        hidden = torch.ones(time, time, dtype=torch.bool).triu(1)
        heads.append(scores.masked_fill(hidden, -math.inf).softmax(-1) @ v)
    x = x + torch.cat(heads, dim=-1) @ block.attention.out.weight.T
    wide = norm(x, block.post_norm.weight) @ block.mlp.gate_up.weight.T
    gate, up = wide[:, : config.ffn_size], wide[:, config.ffn_size :]
    return x + (gate * gate.sigmoid() * up) @ block.mlp.down.weight.T


def test_a_plain_float64_reference_gives_the_same_states() -> None:
    config = ModelConfig.from_json(tiny_config_json(96))
    model = random_model(config, seed=1)
    for parameter in model.parameters():
        parameter.add_(torch.randn(parameter.shape, generator=torch.Generator().manual_seed(2)) / 9)
    hidden = naive.hidden_states(model, [IDS])[0]
    x = model.embedding.weight[IDS].double()
    for index in range(config.num_layers):
        x = reference_block(model, index, x)
    expected = model.final_norm.weight * x / (x.square().mean(-1, keepdim=True) + 1e-5).sqrt()
    torch.testing.assert_close(hidden.double(), expected, atol=1e-5, rtol=1e-5)


@settings(max_examples=25, deadline=None)
@given(cuts=st.sets(st.integers(1, 9)))
def test_any_split_of_the_prompt_gives_the_same_scores(cuts: set[int]) -> None:
    model = random_model(ModelConfig.from_json(tiny_config_json(96)), seed=3)
    edges = [0, *sorted(cuts), 10]
    lengths = [b - a for a, b in pairwise(edges)]
    expected = naive.logits(model, [IDS])[0]
    torch.testing.assert_close(split_forward(model, IDS, lengths), expected, atol=1e-6, rtol=1e-5)


def test_decoding_token_by_token_equals_one_full_forward(tiny_model: ChatGLM) -> None:
    stepped = split_forward(tiny_model, IDS, [1] * 10)
    torch.testing.assert_close(stepped, naive.logits(tiny_model, [IDS])[0], atol=1e-6, rtol=1e-5)


@pytest.mark.parametrize("num_single", [0, 16])
def test_reading_at_once_equals_reading_query_by_query(
    tiny_model: ChatGLM, monkeypatch: pytest.MonkeyPatch, num_single: int
) -> None:
    expected = naive.logits(tiny_model, [IDS])[0]
    monkeypatch.setattr(attention, "MAX_SINGLE_QUERIES", num_single)
    for lengths in ([10], [3, 7], [8, 2]):
        torch.testing.assert_close(
            split_forward(tiny_model, IDS, lengths), expected, atol=1e-6, rtol=1e-5
        )


def test_sequences_side_by_side_change_nothing_of_each_other(tiny_model: ChatGLM) -> None:
    sequences = [IDS[:4], IDS * 3, [7], IDS]
    together = naive.logits(tiny_model, sequences)
    for ids, scores in zip(sequences, together, strict=True):
        alone = naive.logits(tiny_model, [ids])[0]
        torch.testing.assert_close(scores, alone, atol=1e-6, rtol=1e-5)


def test_a_later_token_never_changes_an_earlier_score(tiny_model: ChatGLM) -> None:
    before = naive.logits(tiny_model, [IDS])[0]
    after = naive.logits(tiny_model, [[*IDS[:-1], 77]])[0]
    torch.testing.assert_close(before[:-1], after[:-1])
    assert not torch.allclose(before[-1], after[-1])


@pytest.mark.parametrize("name", ["tiny-v3", "tiny-v3_32k"])
def test_rotation_table_equals_the_golden_one(goldens: Path, name: str) -> None:
    folder = goldens / name
    config = ModelConfig.from_json(json.loads((folder / "config.json").read_text()))
    table = torch.from_numpy(np.load(folder / "io.npz")["rope_cache"])  # (T, R/2, 2)
    cos, sin = rotation(torch.arange(table.shape[0])[:, None], config)
    torch.testing.assert_close(torch.stack((cos, sin), -1)[:, 0], table, atol=1e-6, rtol=0)


def test_interpolated_positions_turn_less(tiny_model: ChatGLM) -> None:
    raw = tiny_config_json(96, rope_ratio=16, _name_or_path="THUDM/chatglm2-6b-32k")
    stretched, _ = rotation(torch.tensor([[32]]), ModelConfig.from_json(raw))
    plain, _ = rotation(torch.tensor([[2]]), tiny_model.config)
    torch.testing.assert_close(stretched, plain)
