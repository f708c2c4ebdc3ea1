"""Writes a trained reader as the folder that the service reads, beside the encoder's folder.

Knows checkpoints of a run and the papers of the model; what a folder holds is training.encoder's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np
import numpy.typing as npt
from safetensors.torch import load_file

from kb_service.generation.passage_reader import Confidence
from kb_service.generation.span_scorer import CONFIDENCE
from training.corpus import SOURCES, free_article_titles
from training.encoder.package import Papers, package_beside
from training.model_folder import licence_text
from training.reader.network import shipped
from training.run_files import CHECKPOINT_FILE, read_checkpoint

HEADS = ("span.", "answerable.")
UNFITTED = Confidence(0.2, 0.05, -1.5)
"""Until calibration.calibrate has fitted the weights' own."""

USED = ("train/zh_cmrc2018", "train/zh_drcd", "train/zhHant_drcd", "train/en_squad",
        "train/en_covidqa")  # fmt: skip
BASE = "encoder."
AVERAGE = "average."

Arrays = dict[str, npt.NDArray[np.float32]]


def export(
    runs: Sequence[Path],
    base: Path,
    start: Path | None,
    words_from: str,
    out: Path,
    card: Path,
    data: Path,
    share: float = 1.0,
) -> list[int]:
    """Package the average weights of the last checkpoint of each run; return their steps.

    `base` and `start`: the folder and the shipped reader that the runs began with, for the layers
    that they left alone. `share`: that of the runs' weights, the rest is those of `start`.
    `words_from`: the encoder's folder as seen from `out`. `card`: the model card.
    """
    state = _floats(base / "model.safetensors")
    steps, learnt = mean_weights(runs)
    if start is not None:
        began = {name: value.numpy() for name, value in shipped(start).items()}
        learnt |= {
            name: (share * value + (1 - share) * began[name]).astype(np.float32)
            for name, value in learnt.items()
            if name in began
        }
        state |= {n.removeprefix(BASE): v for n, v in began.items() if n.startswith(BASE)}
    heads = {name: value for name, value in learnt.items() if name.startswith(HEADS)}
    state |= {n.removeprefix(BASE): value for n, value in learnt.items() if n not in heads}
    papers = Papers(card.read_text(encoding="utf-8"), _licence(data), _config())
    package_beside(state, heads, out, words_from, papers)
    return steps


def mean_weights(runs: Sequence[Path]) -> tuple[list[int], Arrays]:
    """Return the steps of the runs' last checkpoints, and the mean of their average weights.

    Between a run and one that went on from it with other examples the mean keeps what the later one
    forgot (Wortsman et al. 2022, "Robust fine-tuning of zero-shot models", section 3).
    """
    steps, mean = list[int](), Arrays()
    for run in runs:
        facts, tensors = read_checkpoint(run / CHECKPOINT_FILE)
        steps.append(int(facts["step"]))
        for name in (name for name in tensors if name.startswith(AVERAGE)):
            share = (tensors[name].float() / len(runs)).numpy()
            known = mean.get(name.removeprefix(AVERAGE))
            mean[name.removeprefix(AVERAGE)] = share if known is None else known + share
    return steps, mean


def _config() -> dict[str, object]:
    numbers = asdict(UNFITTED)
    return {"prompts": {"query": "query: "}, "max_tokens": 224, CONFIDENCE: numbers}


def _licence(data: Path) -> str:
    sources = [source for source in SOURCES if source.path in USED]
    notice = licence_text(sources, free_article_titles(data))
    return (
        f"{notice}\nThey began as those of multilingual-e5-small (MIT, see ../e5-zh-en/LICENSE).\n"
    )


def _floats(path: Path) -> Arrays:
    return {name: value.float().numpy() for name, value in load_file(path).items()}
