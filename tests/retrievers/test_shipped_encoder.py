"""The encoder in the repository: whole, with its papers, and near in meaning across languages."""

from pathlib import Path

import numpy as np

from kb_service.checksums import verify_checksums
from retrievers.embedding import load_embedder

FOLDER = Path(__file__).resolve().parents[2] / "models" / "e5-zh-en"
MAX_BYTES = 45_000_000
PASSAGES = [
    "起火的原因是电气线路短路。",
    "本条例自公布之日起施行。",
    "The fire was caused by a short circuit in the wiring.",
    "How to open a file in Python.",
]


def test_every_file_is_listed_and_matches_its_checksum() -> None:
    files = {path.name for path in FOLDER.iterdir()}
    assert set(verify_checksums(FOLDER)) == files - {"SHA256SUMS.json"}
    assert sum(path.stat().st_size for path in FOLDER.iterdir()) <= MAX_BYTES
    assert (FOLDER / "LICENSE").read_text(encoding="utf-8").startswith("MIT License")


def test_a_paraphrase_is_nearest_in_either_language() -> None:
    embedder = load_embedder(str(FOLDER))
    passages = np.stack([np.frombuffer(v, "<f4") for v in embedder.embed_passages(PASSAGES)])
    for question in ("火灾是什么引起的？", "What caused the fire?"):
        scores = passages @ np.frombuffer(embedder.embed_query(question), "<f4")
        assert set(np.argsort(-scores)[:2].tolist()) == {0, 2}
