"""The encoder in the repository: near in meaning across languages."""

from pathlib import Path

import numpy as np

from retrievers.embedding import load_embedder

FOLDER = Path(__file__).resolve().parents[2] / "models" / "e5-zh-en"
PASSAGES = [
    "起火的原因是电气线路短路。",
    "本条例自公布之日起施行。",
    "The fire was caused by a short circuit in the wiring.",
    "How to open a file in Python.",
]


def test_a_paraphrase_is_nearest_in_either_language() -> None:
    embedder = load_embedder(str(FOLDER))
    passages = np.stack([np.frombuffer(v, "<f4") for v in embedder.embed_passages(PASSAGES)])
    for question in ("火灾是什么引起的？", "What caused the fire?"):
        scores = passages @ np.frombuffer(embedder.embed_query(question), "<f4")
        assert set(np.argsort(-scores)[:2].tolist()) == {0, 2}
