"""How much the reranker's score counts beside the lexical one, from questions kept out of training.

Knows the lists and the product's own way of ordering them. Looks at no dev or demo set.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import fmean

import numpy as np
import numpy.typing as npt
import torch

from retrievers.fusion import FusedHit
from retrievers.reranking import reorder
from training.reranker.lists import ABSENT, QUESTION_FILES, Floats, Lists
from training.reranker.trainer import Tokens, pack_pairs

WEIGHTS = (0.0, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.5, 0.6, 0.7, 0.85, 1.0)
DEPTH = 10
MIN_QUESTIONS = 100
"""Files with fewer held-out questions say too little to choose by."""
Grid = npt.NDArray[np.float64]
Log = Callable[[str], None]


def scores_of(model: Path, lists: Lists, rows: Sequence[int], tokens: Tokens) -> Floats:
    """(rows, K) the model's logits; 0 where a list has no candidate."""
    from transformers import AutoModelForSequenceClassification

    network = AutoModelForSequenceClassification.from_pretrained(
        model, local_files_only=True, dtype=torch.float32
    ).eval()
    found = np.zeros((len(rows), lists.candidates.shape[1]), dtype=np.float32)
    for number, row in enumerate(rows):
        question = lists.text(int(lists.questions[row]))
        there = np.flatnonzero(lists.candidates[row] != ABSENT)
        texts = [(question, lists.text(int(lists.candidates[row, k]))) for k in there]
        pairs = pack_pairs(texts, tokens, torch.zeros(0), "cpu")
        with torch.inference_mode():
            logits = network(
                input_ids=pairs.ids, token_type_ids=pairs.types, attention_mask=pairs.mask
            ).logits
        found[number, there] = logits[:, 0].numpy()
    return found


def ndcg(relevant: Sequence[bool]) -> float:
    """nDCG at 10 of an order, gains of 0 and 1 (Järvelin and Kekäläinen 2002)."""
    gains = [1 / math.log2(place + 2) for place in range(DEPTH)]
    ideal = sum(gains[: sum(relevant)])
    return sum(g for g, good in zip(gains, relevant, strict=False) if good) / ideal


def ndcg_at(weight: float, lists: Lists, row: int, scores: Floats) -> float:
    """nDCG of one list in the order that the product gives it at this weight."""
    there = [int(k) for k in np.flatnonzero(lists.candidates[row] != ABSENT)]
    hits = [
        FusedHit(k, 1 / (10 + k), {"lexical": k + 1}, {"lexical": float(lists.scores[row, k])})
        for k in there
    ]
    ordered = reorder(hits, [float(scores[k]) for k in there], weight) if weight else hits
    return ndcg([bool(lists.relevant[row, hit.chunk_id]) for hit in ordered])


def calibrate(model: Path, lists: Lists, tokens: Tokens, limit: int, log: Log) -> float:
    """The chosen weight; tells the table of all weights over the files with enough questions."""
    grids: dict[str, Grid] = {}
    for source, name in enumerate(QUESTION_FILES):
        kept = np.flatnonzero(lists.is_held_out & (lists.sources == source))
        if len(kept) >= MIN_QUESTIONS:
            grids[name] = _grid(model, lists, [int(row) for row in kept[:limit]], tokens)
    log("| weight | " + " | ".join(f"{n} ({g.shape[1]})" for n, g in grids.items()) + " | mean |")
    log("|---|" + "---|" * (len(grids) + 1))
    for number, weight in enumerate(WEIGHTS):
        means = [100 * float(grid[number].mean()) for grid in grids.values()]
        cells = " | ".join(f"{mean:.2f}" for mean in (*means, fmean(means)))
        log(f"| {weight:g} | {cells} |")
    weight = chosen_weight(list(grids.values()))
    log(f"chosen weight {weight:g}")
    return weight


def chosen_weight(grids: Sequence[Grid]) -> float:
    """The smallest weight whose mean over the files is within one standard error of the best.

    `grids`: (weights, questions) each; every file weighs the same. The error is that of what the
    best weight gains over weight 0 (the rule of Breiman et al. 1984, section 3.4.3): the word
    vectors know the articles of these questions, so what they gain here is an upper bound.
    """
    means = np.mean([grid.mean(axis=1) for grid in grids], axis=0)
    best = int(means.argmax())
    gains = [grid[best] - grid[0] for grid in grids]
    error = math.sqrt(sum(float(gain.var(ddof=1)) / len(gain) for gain in gains)) / len(gains)
    return WEIGHTS[int(np.argmax(means >= means[best] - error))]


def _grid(model: Path, lists: Lists, rows: Sequence[int], tokens: Tokens) -> Grid:
    """(weights, rows) nDCG of each list at each weight."""
    scores = scores_of(model, lists, rows, tokens)
    return np.array(
        [[ndcg_at(w, lists, row, scores[n]) for n, row in enumerate(rows)] for w in WEIGHTS]
    )
