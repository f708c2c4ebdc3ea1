"""From a run to a model folder in the released ChatGLM3 layout, with its card and checksums.

Knows the files of the folder. The auxiliary heads are left behind; the weights are the running
average. Does not know how they were learnt.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from llm.checkpoints.weight_names import CHATGLM2
from llm.tokenizers.sentence_pieces import TOKENIZER_FILE
from training.model_folder import licence_text, write_checksums
from training.reader.card import Facts, card_text
from training.reader.recipe import Recipe, config_json
from training.reader.shards import read_manifest
from training.reader.sources import used_sources
from training.run_files import CHECKPOINT_FILE, CURVE_FILE, read_curve

CONFIG_FILE = "config.json"
WEIGHTS_FILE = "model.safetensors"
_DTYPES = {"float16": torch.float16, "float32": torch.float32}
_AVERAGE = "average.model."
Log = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The averaged weights by the names of llm's model, and the step they are of."""

    weights: dict[str, Tensor]
    step: int
    seconds: float


def read_checkpoint(run: Path) -> Checkpoint:
    """The averaged weights of a run.

    Raises:
        FileNotFoundError: the run has no checkpoint yet.
    """
    from safetensors import safe_open

    path = run / CHECKPOINT_FILE
    if not path.is_file():
        raise FileNotFoundError(f"{path} is missing; train first")
    with safe_open(path, framework="pt") as file:
        facts = file.metadata()
        names = [name for name in file.keys() if name.startswith(_AVERAGE)]  # noqa: SIM118 - no mapping
        weights = {name.removeprefix(_AVERAGE): file.get_tensor(name) for name in names}
    return Checkpoint(weights, int(facts["step"]), float(facts["seconds"]))


def write_folder(
    folder: Path,
    weights: Mapping[str, Tensor],
    config: Mapping[str, Any],
    tokenizer_file: Path,
) -> None:
    """Write config, tokenizer and weights (names of llm's model) as a release has them."""
    from safetensors.torch import save_file

    folder.mkdir(parents=True, exist_ok=True)
    text = json.dumps(config, indent=2, ensure_ascii=False)
    (folder / CONFIG_FILE).write_text(text + "\n", encoding="utf-8")
    shutil.copyfile(tokenizer_file, folder / TOKENIZER_FILE)
    dtype = _DTYPES[config["torch_dtype"]]
    state = {
        CHATGLM2.checkpoint_key(name): value.detach().to("cpu", dtype).contiguous()
        for name, value in weights.items()
    }
    save_file(state, folder / WEIGHTS_FILE, metadata={"format": "pt"})


def export(run: Path, shards: Path, out: Path, recipe: Recipe, dtype: str, log: Log) -> None:
    """Write the folder of a run's last checkpoint, with card, licence notice and checksums."""
    checkpoint = read_checkpoint(run)
    manifest = read_manifest(shards)
    config = config_json(recipe.size, manifest["num_ids"], dtype)
    write_folder(out, checkpoint.weights, config, shards / TOKENIZER_FILE)
    facts = Facts(out.name, recipe, manifest, read_curve(run / CURVE_FILE), checkpoint.step)
    (out / "MODEL_CARD.md").write_text(card_text(facts), encoding="utf-8")
    (out / "LICENSE").write_text(licence_text(used_sources()), encoding="utf-8")
    write_checksums(out)
    num = sum(value.numel() for value in checkpoint.weights.values())
    size = (out / WEIGHTS_FILE).stat().st_size
    log(f"{out}: step {checkpoint.step}, {num:,} weights, {size / 1e6:.1f} MB")
