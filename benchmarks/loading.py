"""Memory and time of loading: a checkpoint of several gigabytes in every released form.

    python -m benchmarks.loading [--layers N] [--case TEXT] [--folder DIR]

Writes random weights of ChatGLM3-6B's width (4.7 GB of float16 at 9 layers), loads them in a
fresh process each, and compares that process's peak with the model it holds at the end. The
process first loads a tiny model, so that what torch takes once is not counted.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import torch
from safetensors.torch import save_file

from llm.checkpoints.weight_plan import LAYOUTS, plan_weights
from llm.kernels.quantization import pack_int4
from llm.models.build import empty_model
from llm.models.config import ModelConfig

SECOND = {
    "model_type": "chatglm",
    "multi_query_attention": True,
    "multi_query_group_num": 2,
    "add_qkv_bias": True,
    "seq_length": 8192,
    "torch_dtype": "float16",
}
NATIVE = {
    "model_type": "glm",
    "vocab_size": 65024,
    "max_position_embeddings": 8192,
    "torch_dtype": "bfloat16",
}
SHARD_BYTES = 2**30
MEASURE = """
import json, sys, time
from pathlib import Path
from llm.checkpoints.checkpoint import load_model
def kib(name):
    lines = Path("/proc/self/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith(name)).split()[1])
first, folder, options = Path(sys.argv[1]), Path(sys.argv[2]), json.loads(sys.argv[3])
load_model(first, device="cpu", **options)
before, start = kib("VmRSS"), time.perf_counter()
model = load_model(folder, device="cpu", **options)
seconds = time.perf_counter() - start
tensors = {t.data_ptr(): t.nbytes for t in [*model.parameters(), *model.buffers()]}
print(json.dumps([sum(tensors.values()), (kib("VmHWM") - before) * 1024, seconds]))
"""


def write(folder: Path, raw: dict[str, object], *, safe: bool = True) -> Path:
    """Random weights of a config in shards of about a gigabyte."""
    folder.mkdir(parents=True)
    (folder / "config.json").write_text(json.dumps(raw))
    config = ModelConfig.from_json(raw)
    layout = LAYOUTS[config.layout]
    plan = plan_weights(empty_model(config), layout, {})
    ending = "safetensors" if safe else "bin"
    stem = "model" if safe else "pytorch_model"
    weight_map: dict[str, str] = {}
    shard: dict[str, torch.Tensor] = {}
    for key, shape in plan.expected().items():
        shard[key] = _random(key, shape, config)
        if sum(each.nbytes for each in shard.values()) > SHARD_BYTES:
            weight_map |= _save(folder / f"{stem}-{len(weight_map):05d}.{ending}", shard)
            shard = {}
    weight_map |= _save(folder / f"{stem}-last.{ending}", shard)
    index = folder / f"{stem}.{ending}.index.json"
    index.write_text(json.dumps({"weight_map": weight_map}))
    return folder


def _random(key: str, shape: tuple[int, ...], config: ModelConfig) -> torch.Tensor:
    bits = config.quantization_bit
    if bits and len(shape) == 2 and "word_embeddings" not in key and "output_layer" not in key:
        largest = 127 if bits == 8 else 7
        columns = shape[1] * 8 // bits
        codes = torch.randint(-largest, largest + 1, (shape[0], columns), dtype=torch.int8)
        return codes if bits == 8 else pack_int4(codes)
    dtype = torch.bfloat16 if config.stored_dtype == "bfloat16" else torch.float16
    return torch.empty(shape, dtype=dtype).normal_(0, 0.02)


def _save(path: Path, shard: dict[str, torch.Tensor]) -> dict[str, str]:
    if path.suffix == ".bin":
        torch.save(shard, path)
    else:
        save_file(shard, path)
    return dict.fromkeys(shard, path.name)


def measure(first: Path, folder: Path, options: dict[str, str]) -> tuple[int, int, float]:
    """Bytes of the loaded model, growth of the process's peak in bytes, and seconds."""
    command = [sys.executable, "-c", MEASURE, str(first), str(folder), json.dumps(options)]
    output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    size, peak, seconds = json.loads(output)
    return size, peak, seconds


def cases(num_layers: int) -> list[tuple[str, dict[str, object], bool, list[dict[str, str]]]]:
    """What is written, whether as safetensors, and the ways it is loaded."""
    second: dict[str, object] = SECOND | {"num_layers": num_layers}
    native: dict[str, object] = NATIVE | {"num_hidden_layers": num_layers}
    half = {"dtype": "bfloat16"}
    quantised = [half | {"quantize": kind} for kind in ("int8", "int4")]
    return [
        ("ChatGLM3, safetensors", second, True, [half, *quantised]),
        ("ChatGLM3, .bin", second, False, [half, quantised[1]]),
        ("native GLM (q, k, v apart), safetensors", native, True, [half]),
        ("ChatGLM3 int8 release, .bin", second | {"quantization_bit": 8}, False, [half]),
        ("ChatGLM3 int4 release, .bin", second | {"quantization_bit": 4}, False, [half]),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--layers", type=int, default=9)
    parser.add_argument("--case", default="", help="only checkpoints whose name holds this")
    parser.add_argument("--folder", type=Path, help="where to write; default: the temporary folder")
    options = parser.parse_args()
    print("| checkpoint | loaded as | model, GB | peak, GB | peak / model | s |")
    print("|---|---|---|---|---|---|")
    for name, raw, safe, ways in cases(options.layers):
        if options.case not in name:
            continue
        with tempfile.TemporaryDirectory(dir=options.folder) as place:
            tiny = {"hidden_size": 64, "num_layers": 1, "num_hidden_layers": 1, "vocab_size": 96}
            tiny |= {"padded_vocab_size": 96, "ffn_hidden_size": 64, "intermediate_size": 64}
            first = write(Path(place) / "first", raw | tiny, safe=safe)
            folder = write(Path(place) / "model", raw, safe=safe)
            for way in ways:
                size, peak, seconds = measure(first, folder, way)
                kind = way.get("quantize", way["dtype"])
                print(
                    f"| {name} | {kind} | {size / 1e9:.2f} | {peak / 1e9:.2f}"
                    f" | {peak / size:.2f} | {seconds:.0f} |",
                    flush=True,
                )


if __name__ == "__main__":
    main()
