"""The forward pass of both layouts in float64, written plainly from the published formulas.

Shares nothing with the package: it reads a checkpoint's config and keys as they are stored, goes
head by head and pair by pair, and uses no cache. For tests only.
"""

import math
from collections.abc import Callable, Mapping

import torch
import torch.nn.functional as F  # noqa: N812 -- the name every torch reader expects
from torch import Tensor

Raw = Mapping[str, object]
ClientTurn = Callable[[Tensor], Tensor]


def _linear(state: Mapping[str, Tensor], name: str, x: Tensor) -> Tensor:
    y = x @ state[f"{name}.weight"].double().T
    return y + state[f"{name}.bias"].double() if f"{name}.bias" in state else y


def _norm(state: Mapping[str, Tensor], name: str, x: Tensor, raw: Raw) -> Tensor:
    weight, eps = state[f"{name}.weight"].double(), float(raw["layernorm_epsilon"])
    if f"{name}.bias" in state:
        x = x - x.mean(-1, keepdim=True)
        y = weight * x / (x.square().mean(-1, keepdim=True) + eps).sqrt()
        return y + state[f"{name}.bias"].double()
    return weight * x / (x.square().mean(-1, keepdim=True) + eps).sqrt()


def _turn_pairs(x: Tensor, first: list[int], second: list[int], angles: Tensor) -> Tensor:
    """Turn dimension first[j] with second[j] of x (T, D) by angles (T, J)."""
    out = x.clone()
    for j, (a, b) in enumerate(zip(first, second, strict=True)):
        cos, sin = angles[:, j].cos(), angles[:, j].sin()
        out[:, a] = x[:, a] * cos - x[:, b] * sin
        out[:, b] = x[:, b] * cos + x[:, a] * sin
    return out


def _angles(positions: Tensor, size: int, base: float = 10000.0, *, half: bool = False) -> Tensor:
    frequency = torch.tensor([base ** (-2 * j / size) for j in range(size // 2)])
    if half:
        frequency = frequency.half().double()
    return positions.double()[:, None] * frequency.double()


def _attend(q: Tensor, k: Tensor, v: Tensor, seen: Tensor) -> Tensor:
    scores = q @ k.T / math.sqrt(q.shape[1])
    return scores.masked_fill(~seen, -math.inf).softmax(-1) @ v


def second_logits(raw: Raw, state: Mapping[str, Tensor], ids: list[int]) -> Tensor:
    """Scores (T, V) of a ChatGLM2-style checkpoint with any of its switches."""
    heads, dim = int(raw["num_attention_heads"]), int(raw["kv_channels"])
    grouped = bool(raw["multi_query_attention"])
    groups = int(raw["multi_query_group_num"]) if grouped else heads
    time, rot = len(ids), dim // 2
    angles = _angles(torch.arange(time), rot, 10000.0 * float(raw.get("rope_ratio", 1)))
    first = list(range(0, rot, 2)) if raw["original_rope"] else list(range(rot // 2))
    second = [a + (1 if raw["original_rope"] else rot // 2) for a in first]
    causal = torch.ones(time, time, dtype=torch.bool).tril()
    x = state["transformer.embedding.word_embeddings.weight"].double()[ids]
    for layer in range(int(raw["num_layers"])):
        at = f"transformer.encoder.layers.{layer}"
        a = _norm(state, f"{at}.input_layernorm", x, raw)
        qkv = _linear(state, f"{at}.self_attention.query_key_value", a)
        outs = []
        for n in range(heads):
            g = n // (heads // groups)
            starts = (
                (n, heads + g, heads + groups + g) if grouped else (3 * n, 3 * n + 1, 3 * n + 2)
            )
            q, k, v = (qkv[:, s * dim : (s + 1) * dim] for s in starts)
            turned = [_turn_pairs(y, first, second, angles) for y in (q, k)]
            outs.append(_attend(*turned, v, causal))
        o = _linear(state, f"{at}.self_attention.dense", torch.cat(outs, -1))
        after = bool(raw["apply_residual_connection_post_layernorm"])
        x = (a if after else x) + o
        m = _norm(state, f"{at}.post_attention_layernorm", x, raw)
        gate, up = _linear(state, f"{at}.mlp.dense_h_to_4h", m).chunk(2, -1)
        f = _linear(state, f"{at}.mlp.dense_4h_to_h", F.silu(gate) * up)
        x = (m if after else x) + f
    if raw["post_layer_norm"]:
        x = _norm(state, "transformer.encoder.final_layernorm", x, raw)
    return _linear(state, "transformer.output_layer", x)


def first_logits(raw: Raw, state: Mapping[str, Tensor], ids: list[int]) -> Tensor:
    """Scores (T, V) of a ChatGLM-6B checkpoint, or of GLM-130B's block under the same keys."""
    heads, time = int(raw["num_attention_heads"]), len(ids)
    dim = int(raw["hidden_size"]) // heads
    large = raw["model_type"] == "glm-130b"
    alpha = math.sqrt(2 * int(raw["num_layers"])) if large else math.sqrt(56)
    start = ids.index(int(raw["bos_token_id"]))
    turn = _first_turn(raw, ids, start, dim)
    index = torch.arange(time)
    seen = (index <= index[:, None]) | (index < start)
    prefix = state.get("transformer.prefix_encoder.embedding.weight")
    x = state["transformer.word_embeddings.weight"].double()[ids]
    for layer in range(int(raw["num_layers"])):
        at = f"transformer.layers.{layer}"
        a = _norm(state, f"{at}.input_layernorm", x, raw)
        qkv = _linear(state, f"{at}.attention.query_key_value", a)
        outs = []
        for n in range(heads):
            q, k, v = qkv[:, 3 * n * dim : 3 * (n + 1) * dim].chunk(3, -1)
            k, visible = turn(k), seen
            if prefix is not None:
                learned = prefix.double().view(len(prefix), -1, heads, dim)[:, :, n]
                k = torch.cat((learned[:, 2 * layer], k))
                v = torch.cat((learned[:, 2 * layer + 1], v))
                visible = F.pad(seen, (len(prefix), 0), value=True)
            outs.append(_attend(turn(q), k, v, visible))
        x = alpha * a + _linear(state, f"{at}.attention.dense", torch.cat(outs, -1))
        m = _norm(state, f"{at}.post_attention_layernorm", x, raw)
        wide = _linear(state, f"{at}.mlp.dense_h_to_4h", m)
        if large:
            value, gate = wide.chunk(2, -1)
            wide = value * F.gelu(gate)
        else:
            wide = F.gelu(wide, approximate="tanh")
        x = alpha * m + _linear(state, f"{at}.mlp.dense_4h_to_h", wide)
    x = _norm(state, "transformer.final_layernorm", x, raw)
    return x @ state.get("lm_head.weight", state["transformer.word_embeddings.weight"]).double().T


def _first_turn(raw: Raw, ids: list[int], start: int, dim: int) -> ClientTurn:
    """How queries and keys (T, D) of these ids are turned, on two axes or on one."""
    gmask = int(raw["gmask_token_id"])
    others = [int(raw[key]) for key in ("mask_token_id", "smask_token_id") if key in raw]
    mask = next(each for each in (gmask, *others) if each in ids)
    frozen = [min(t, start - 1) if t < start else ids.index(mask) for t in range(len(ids))]
    if raw["position_encoding_2d"]:
        block = [max(0, t - start + 1) for t in range(len(ids))]
        angles = [_angles(torch.tensor(p), dim // 2, half=True) for p in (frozen, block)]
        quarter = dim // 4
        first = [list(range(s, s + quarter)) for s in (0, dim // 2)]
        second = [[a + quarter for a in part] for part in first]
        return lambda x: _turn_pairs(
            _turn_pairs(x, first[0], second[0], angles[0]), first[1], second[1], angles[1]
        )
    positions = torch.arange(len(ids)) if mask == gmask else torch.tensor(frozen)
    one = _angles(positions, dim, half=True)
    low = list(range(dim // 2))
    return lambda x: _turn_pairs(x, low, [a + dim // 2 for a in low], one)
