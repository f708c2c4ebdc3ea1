"""The weights in the repository: whole, small enough, and above the random level in Chinese."""

from pathlib import Path

from kb_service.checksums import verify_checksums
from retrievers.embedding import load_embedder
from training.evaluate_embedding import COLUMNS, measure

FOLDER = Path(__file__).resolve().parents[2] / "models" / "static-zh-en"
MAX_BYTES = 40_000_000


def test_every_file_is_listed_and_matches_its_checksum() -> None:
    files = {p.relative_to(FOLDER).as_posix() for p in FOLDER.rglob("*") if p.is_file()}
    assert set(verify_checksums(FOLDER)) == files - {"SHA256SUMS.json"}


def test_the_folder_is_at_most_40_megabytes_and_carries_its_papers() -> None:
    assert sum(p.stat().st_size for p in FOLDER.rglob("*")) <= MAX_BYTES
    assert "CC BY-SA 4.0" in (FOLDER / "LICENSE").read_text(encoding="utf-8")


def test_a_paraphrase_is_nearer_than_an_unrelated_text() -> None:
    import numpy as np

    embedder = load_embedder(str(FOLDER))
    texts = [
        "起火的原因是电气线路短路。",
        "本条例自公布之日起施行。",
        "How to open a file in Python.",
    ]
    passages = np.stack([np.frombuffer(v, "<f4") for v in embedder.embed_passages(texts)])
    question = np.frombuffer(embedder.embed_query("火灾是什么引起的？"), "<f4")
    assert int((passages @ question).argmax()) == 0


def test_it_is_as_good_as_its_card_says(shared_dir: Path) -> None:
    report = measure(FOLDER, shared_dir / "data")
    card = (FOLDER / "MODEL_CARD.md").read_text(encoding="utf-8")
    for name, levels in report.items():
        cells = " | ".join(f"{100 * levels['model'][column]:.1f}" for column in COLUMNS)
        assert f"| {name} | model | {cells} |" in card
        assert levels["model"]["hit@1"] > 100 * levels["random"]["hit@1"]
