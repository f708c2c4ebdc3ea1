"""llama.cpp as a subject of cpu_kernels.py; runs in an environment of its own.

That environment has `llama-cpp-python` (built from its source distribution, for this CPU) and
`gguf`; nothing of the project is imported. Writes a GGUF file of the given weights, loads it, and
answers commands, one JSON line each: see cpu_kernels.py.
"""

import argparse
import ctypes
import json
import sys
import time
from pathlib import Path
from typing import Any

import gguf
import llama_cpp
import numpy as np
from numpy.typing import NDArray

LAYER_NAMES = {
    "qkv": "attn_qkv", "out": "attn_output", "gate_up": "ffn_up", "down": "ffn_down",
}  # fmt: skip


def main() -> None:
    """Write the file if it is not there, load it, then serve commands from stdin."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--weights", type=Path, required=True)
    parser.add_argument("--type", choices=("Q4_0", "Q8_0"), required=True)
    parser.add_argument("--layers", type=int, required=True)
    parser.add_argument("--threads", type=int, required=True)
    chosen = parser.parse_args()
    path = chosen.weights / f"{chosen.type}-{chosen.layers}.gguf"
    if not path.is_file():
        unfinished = path.with_suffix(".part")
        write_gguf(chosen.weights, unfinished, chosen.type, chosen.layers)
        unfinished.rename(path)
    model = Model(path, chosen.threads)
    say({"ready": llama_cpp.llama_print_system_info().decode()})
    for line in sys.stdin:
        command = json.loads(line)
        say(getattr(model, command.pop("do"))(**command))


def write_gguf(weights: Path, path: Path, kind: str, num_layers: int) -> None:
    """Every layer gets the one layer's weights. The head is Q8_0, as ours is int8."""
    shape: dict[str, Any] = json.loads((weights / "shape.json").read_text())
    writer = gguf.GGUFWriter(str(path), "chatglm", use_temp_file=True)
    writer.add_context_length(shape["max_context"])
    writer.add_embedding_length(shape["hidden_size"])
    writer.add_feed_forward_length(shape["ffn_size"])
    writer.add_block_count(num_layers)
    writer.add_head_count(shape["num_heads"])
    writer.add_head_count_kv(shape["num_kv_groups"])
    writer.add_layer_norm_rms_eps(shape["norm_eps"])
    writer.add_rope_dimension_count(shape["rope_dim"])
    writer.add_rope_freq_base(shape["rope_base"])
    writer.add_vocab_size(shape["vocab_size"])
    writer.add_tokenizer_model("no_vocab")
    ones = np.ones(shape["hidden_size"], np.float32)
    layer = {name: quantized(weights, name, kind) for name in LAYER_NAMES}
    bias = np.load(weights / "qkv_bias.npy").astype(np.float32)
    add(writer, "token_embd.weight", quantized(weights, "embedding", kind))
    for number in range(num_layers):
        for name, target in LAYER_NAMES.items():
            add(writer, f"blk.{number}.{target}.weight", layer[name])
        writer.add_tensor(f"blk.{number}.attn_qkv.bias", bias)
        writer.add_tensor(f"blk.{number}.attn_norm.weight", ones)
        writer.add_tensor(f"blk.{number}.ffn_norm.weight", ones)
    writer.add_tensor("output_norm.weight", ones)
    add(writer, "output.weight", quantized(weights, "head", "Q8_0"))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def quantized(weights: Path, name: str, kind: str) -> tuple[Any, Any]:
    """The bytes of one weight and their type."""
    target = gguf.GGMLQuantizationType[kind]
    values = np.load(weights / f"{name}.npy", mmap_mode="r")
    parts = [
        gguf.quants.quantize(np.asarray(values[start : start + 2048], np.float32), target)
        for start in range(0, len(values), 2048)
    ]
    return np.concatenate(parts), target


def add(writer: gguf.GGUFWriter, name: str, weight: tuple[Any, Any]) -> None:
    """Add a weight that is quantised already."""
    writer.add_tensor(name, weight[0], raw_dtype=weight[1])


class Model:
    """One loaded file and one context."""

    def __init__(self, path: Path, num_threads: int) -> None:
        self._log = llama_cpp.llama_log_callback(lambda *_: None)  # kept: C calls it later
        llama_cpp.llama_log_set(self._log, ctypes.c_void_p(0))
        llama_cpp.llama_backend_init()
        model = llama_cpp.llama_model_load_from_file(
            str(path).encode(), llama_cpp.llama_model_default_params()
        )
        params = llama_cpp.llama_context_default_params()
        params.n_ctx, params.n_batch, params.n_ubatch = 2048, 512, 512
        params.n_threads = params.n_threads_batch = num_threads
        self._context = llama_cpp.llama_init_from_model(model, params)
        if not model or not self._context:
            raise RuntimeError(f"llama.cpp cannot load {path}")
        self._num_ids = llama_cpp.llama_vocab_n_tokens(llama_cpp.llama_model_get_vocab(model))

    def prefill(self, ids: list[int]) -> dict[str, float]:
        """Seconds from an empty cache to the scores behind the last of ids."""
        self._forget()
        start = clocks()
        self._run(ids)
        return since(start)

    def decode(self, ids: list[int], num_tokens: int) -> dict[str, float]:
        """Seconds for num_tokens greedy tokens behind ids."""
        self._forget()
        scores = self._run(ids)
        start = clocks()
        for _ in range(num_tokens):
            scores = self._run([int(scores.argmax())])
        return since(start)

    def scores(self, ids: list[int]) -> dict[str, list[float]]:
        """The scores behind the last of ids, to see that both engines hold the same weights."""
        self._forget()
        return {"scores": [round(float(value), 4) for value in self._run(ids)]}

    def memory(self) -> dict[str, int]:
        """Resident bytes, as Linux counts them."""
        lines = Path("/proc/self/status").read_text().splitlines()
        return {key: 1024 * int(line.split()[1]) for line in lines for key in MEMORY if key in line}

    def _forget(self) -> None:
        llama_cpp.llama_memory_clear(llama_cpp.llama_get_memory(self._context), 1)

    def _run(self, ids: list[int]) -> NDArray[np.float32]:
        tokens = (llama_cpp.llama_token * len(ids))(*ids)
        batch = llama_cpp.llama_batch_get_one(tokens, len(ids))
        if llama_cpp.llama_decode(self._context, batch) != 0:
            raise RuntimeError("llama_decode failed")
        scores = llama_cpp.llama_get_logits_ith(self._context, -1)
        return np.ctypeslib.as_array(scores, shape=(self._num_ids,))


MEMORY = ("VmHWM", "VmRSS")


def clocks() -> tuple[float, float]:
    """Wall clock, and processor time of all threads of this process."""
    return time.perf_counter(), time.process_time()


def since(start: tuple[float, float]) -> dict[str, float]:
    """Seconds on both clocks since `start`."""
    wall, cpu = clocks()
    return {"wall": wall - start[0], "cpu": cpu - start[1]}


def say(value: object) -> None:
    """One line to the parent."""
    sys.stdout.write(json.dumps(value) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
