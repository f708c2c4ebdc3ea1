"""Writes a trained judge of phrases as the folder that the service reads, beside the encoder's.

Knows checkpoints of a run and the papers of the model; what a folder holds is training.encoder's.
"""

from __future__ import annotations

import os
from dataclasses import asdict
from pathlib import Path

from kb_service.generation.phrase_scorer import LIKELIHOOD, PHRASE_PROMPT, Likelihood
from training.encoder.package import Papers, package_beside
from training.phrases.network import ENCODER, HEAD, begun_with
from training.run_files import CHECKPOINT_FILE, read_checkpoint

UNFITTED = Likelihood(1.0, 0.0, 0.8, 0.4)
"""Until calibration.calibrate has fitted the weights' own."""

AVERAGE = "average."
ADDED = """
They began as those of ../reader-zh-en, whose licence and notice follow, and were trained on records
and phrases written by hand for this project (training/phrases/written_records, CC0 1.0).

"""


def export(run: Path, words: Path, reader: Path, out: Path, card: Path) -> int:
    """Package the average weights of the last checkpoint of a run; return its step.

    `reader`: the shipped reader that the run began with, for the layers that it left alone.
    `words`: the folder of the word vectors. `card`: the model card.
    """
    facts, tensors = read_checkpoint(run / CHECKPOINT_FILE)
    learnt = {
        name.removeprefix(AVERAGE): value.float().numpy()
        for name, value in tensors.items()
        if name.startswith(AVERAGE)
    }
    whole = {name: value.numpy() for name, value in begun_with(words, reader).items()} | learnt
    heads = {name: value for name, value in whole.items() if name.startswith(HEAD)}
    state = {n.removeprefix(ENCODER): v for n, v in whole.items() if n not in heads}
    papers = Papers(
        card.read_text(encoding="utf-8"),
        f"{ADDED.lstrip()}{(reader / 'LICENSE').read_text(encoding='utf-8')}",
        {"prompts": {"query": PHRASE_PROMPT}, LIKELIHOOD: asdict(UNFITTED)},
    )
    package_beside(state, heads, out, os.path.relpath(words, out), papers)
    return int(facts["step"])
