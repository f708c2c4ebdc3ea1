"""What transformers saves and computes, we load and compute: GlmForCausalLM with random weights."""

from pathlib import Path

import pytest
import torch

from benchmarks.transformers_parity import (
    SHAPES,
    example_ids,
    save_random_glm,
    their_greedy,
    their_logits,
)
from llm.checkpoints.checkpoint import load_model
from llm.decoding import SamplingParams
from llm.engine.engine import Engine
from llm.models import naive

pytest.importorskip("transformers")

IDS = example_ids(40)


@pytest.mark.parametrize("name", [name for name in SHAPES if "narrow" in name])
def test_scores_and_greedy_ids_equal_those_of_transformers(tmp_path: Path, name: str) -> None:
    theirs = save_random_glm(tmp_path, *SHAPES[name])
    ours = load_model(tmp_path, device="cpu", dtype="float32")
    expected = their_logits(theirs, IDS)
    (found,) = naive.logits(ours, [IDS])
    assert expected.abs().max() > 2
    assert (found - expected).abs().max() < 1e-5 * expected.abs().max()
    tokens = Engine(ours).generate(IDS, SamplingParams(temperature=0, max_tokens=12))
    assert [token.id for token in tokens] == their_greedy(theirs, IDS, 12)


def test_a_classifier_of_transformers_gives_the_same_labels(tmp_path: Path) -> None:
    from transformers import GlmConfig, GlmForSequenceClassification

    sizes, spread = SHAPES["28 layers, narrow"]
    torch.manual_seed(1)
    config = GlmConfig(**(sizes | {"num_hidden_layers": 3, "initializer_range": spread}))
    config.num_labels = 5
    theirs = GlmForSequenceClassification(config).float().eval()
    theirs.save_pretrained(tmp_path)
    with torch.no_grad():
        expected = theirs(torch.tensor([IDS])).logits
    found = naive.classify(load_model(tmp_path, device="cpu", dtype="float32"), [IDS])
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-5)
