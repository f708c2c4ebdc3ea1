"""The encoder by numpy: the states of the library's, whatever else is asked for beside them."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from kb_service.encoder.bert import Bert, BertShape
from tests.encoder.tiny_bert import tiny_tensors, write_tiny_encoder

SHAPE = BertShape(num_layers=2, num_heads=2)
SEQUENCES = [[0, 5, 2], [0, *range(4, 40), 2], [7], [0, 9, 9, 9, 2]]
TYPES = [[0, 0, 1], [0] * 20 + [1] * 18, [1], [0, 0, 1, 1, 1]]


@pytest.fixture(scope="module")
def bert() -> Bert:
    return Bert(tiny_tensors(), SHAPE)


def expected(sequence: list[int], types: list[int]) -> np.ndarray:
    from transformers import BertConfig, BertModel

    config = BertConfig(
        vocab_size=len(tiny_tensors()["embeddings.word_embeddings.weight"]),
        hidden_size=16,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=32,
        max_position_embeddings=64,
        layer_norm_eps=1e-12,
    )
    model = BertModel(config, add_pooling_layer=False).eval()
    model.load_state_dict({name: torch.from_numpy(t) for name, t in tiny_tensors().items()})
    with torch.inference_mode():
        ids, kinds = torch.tensor([sequence]), torch.tensor([types])
        return model(input_ids=ids, token_type_ids=kinds).last_hidden_state[0].numpy()


def test_states_are_those_of_the_library(bert: Bert) -> None:
    for found, ids, types in zip(bert.hidden(SEQUENCES, TYPES), SEQUENCES, TYPES, strict=True):
        assert found.dtype == np.float32
        assert np.abs(found - expected(ids, types)).max() < 1e-5


def test_token_types_are_0_where_none_are_given(bert: Bert) -> None:
    none = [[0] * len(ids) for ids in SEQUENCES]
    for one, other in zip(bert.hidden(SEQUENCES), bert.hidden(SEQUENCES, none), strict=True):
        assert one.tobytes() == other.tobytes()


def test_states_do_not_depend_on_what_is_asked_for_beside_them(bert: Bert) -> None:
    together = Bert(tiny_tensors(), SHAPE, num_threads=2)
    alone = [bert.hidden([ids])[0] for ids in SEQUENCES]
    for found in (bert.hidden(SEQUENCES), together.hidden(SEQUENCES)):
        assert [states.tobytes() for states in found] == [states.tobytes() for states in alone]
    together.close()


def test_asked_for_the_first_tokens_only_it_gives_their_states(bert: Bert) -> None:
    for whole, first in zip(
        bert.hidden(SEQUENCES), bert.hidden(SEQUENCES, num_asked=1), strict=True
    ):
        assert first.shape == (1, 16)
        assert first == pytest.approx(whole[:1], abs=1e-5)


def test_the_weights_are_not_changed_by_a_pass(bert: Bert) -> None:
    before = bert.hidden(SEQUENCES)
    after = bert.hidden(SEQUENCES)
    assert all(map(np.array_equal, before, after))


@pytest.mark.parametrize("ids", [[], [0] * 65])
def test_a_sequence_that_has_no_positions_is_refused(bert: Bert, ids: list[int]) -> None:
    with pytest.raises(ValueError, match="1 to 64 are read"):
        bert.hidden([ids])


def test_no_torch_is_loaded(tmp_path: Path) -> None:
    folder = write_tiny_encoder(tmp_path / "tiny")
    code = (
        "import sys; from pathlib import Path; from kb_service.encoder.folder import open_encoder; "
        f"encoder = open_encoder(Path({str(folder)!r}), num_threads=2); "
        "print(encoder.bert.hidden([[0, 2]])[0].shape, 'torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "(2, 16) False\n"
