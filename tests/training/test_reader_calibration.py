"""How sure a reading is, fitted: the numbers come back, and a model folder gets them."""

import gzip
import json
from pathlib import Path

import numpy as np
import pytest

from kb_service.checksums import verify_checksums
from kb_service.generation.span_scorer import HEADS, load_scorer
from tests.encoder.tiny_bert import write_tiny_encoder
from training.reader.calibration import Shelf, calibrate, fit


def test_a_fit_finds_the_weights_that_made_the_outcomes() -> None:
    rng = np.random.default_rng(5)
    rows = rng.normal(0, 8, (6000, 2))
    likely = 1 / (1 + np.exp(-(0.3 * rows[:, 0] + 0.1 * rows[:, 1] - 1.0)))
    found = fit(rows, (rng.random(6000) < likely).astype(float))
    assert (found.margin, found.answerable, found.bias) == pytest.approx((0.3, 0.1, -1.0), abs=0.1)


def test_a_fit_of_outcomes_that_one_number_parts_stays_finite() -> None:
    found = fit(np.array([[1.0, 0.0], [-1.0, 0.0]]), np.array([1.0, 0.0]))
    assert np.isfinite([found.margin, found.answerable, found.bias]).all()


def test_only_passages_of_documents_that_meet_the_question_are_read() -> None:
    shelf = Shelf(
        [
            ("a", "Harlow Road", "A fire broke out at noon."),
            ("a", "Harlow Road", "The guard rang at once."),
            ("b", "Norton Street", "A fire broke out at night. The guard rang later."),
        ]
    )
    found = shelf.find("When did the guard ring at Harlow Road?")
    assert {passage.text for passage in found} == {
        "A fire broke out at noon.",
        "The guard rang at once.",
    }


def test_a_model_folder_gets_its_own_numbers_and_stays_intact(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    sizes = ((2, 16), (2,), (1, 16), (1,))
    heads = {n: rng.normal(size=s).astype(np.float32) for n, s in zip(HEADS, sizes, strict=True)}
    folder = write_tiny_encoder(tmp_path / "tiny", heads=heads, max_tokens=256)
    write_sets(tmp_path / "data")
    lines: list[str] = []
    fitted = calibrate(folder, tmp_path / "data", load_scorer(folder, 1), 6, lines.append)
    told = json.loads((folder / "config.json").read_text("utf-8"))["confidence"]
    assert told["bias"] == pytest.approx(fitted.bias, abs=1e-4)
    assert load_scorer(folder, 1).confidence.bias == told["bias"]
    assert verify_checksums(folder)
    assert len(lines) == 4


def write_sets(data: Path) -> None:
    (data / "dev").mkdir(parents=True)
    context = "The valve failed in 1998. Kay shut it at noon."
    rows = [
        {
            "question": question,
            "title": "Valves",
            "context": context,
            "answers": [{"text": answer, "start": context.find(answer)}],
        }
        for question, answer in (("Who shut the valve?", "Kay"), ("When did it fail?", "1998"))
    ]
    text = "".join(json.dumps(row) + "\n" for row in rows)
    for name in ("en_squad", "zh_drcd", "zh_cmrc2018_trial"):
        (data / "dev" / f"{name}.jsonl.gz").write_bytes(gzip.compress(text.encode()))
