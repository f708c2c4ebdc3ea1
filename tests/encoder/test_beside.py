"""Phrases read beside texts that are read once: the states of one masked pass of the library."""

from functools import cache

import numpy as np
import pytest
import torch

from kb_service.encoder.bert import Bert, BertShape
from kb_service.encoder.kernel import CompiledKernel
from kb_service.model_parts import encoder_kernel
from tests.encoder.test_kernel import stored
from tests.encoder.tiny_bert import tiny_tensors

SHAPE = BertShape(num_layers=2, num_heads=2)
TEXT_AT = 24
TEXTS = [[5, 9, 2], [*range(4, 44)], [7]]
"""The second one fills all positions from `TEXT_AT` on."""

PHRASES = [[0, 11, 2, 2], [0, *range(20, 40), 2, 2], [0]]


@pytest.fixture(scope="module")
def bert() -> Bert:
    return Bert(tiny_tensors(), SHAPE)


@cache
def library() -> torch.nn.Module:
    from transformers import BertConfig, BertModel

    config = BertConfig(
        vocab_size=len(tiny_tensors()["embeddings.word_embeddings.weight"]),
        hidden_size=16,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=32,
        max_position_embeddings=64,
        layer_norm_eps=1e-12,
        attn_implementation="sdpa",
    )
    model = BertModel(config, add_pooling_layer=False).eval()
    model.load_state_dict({name: torch.from_numpy(t) for name, t in tiny_tensors().items()})
    return model


def expected(text: list[int], phrases: list[list[int]]) -> np.ndarray:
    """The first state (P, C) of each phrase: all in one sequence, each seeing itself and the text,
    which sees itself alone."""
    groups = [text, *phrases]
    of = torch.tensor([number for number, ids in enumerate(groups) for _ in ids])
    sees = (of[:, None] == of[None, :]) | (of == 0)[None, :]
    places = [range(TEXT_AT, TEXT_AT + len(text)), *(range(len(ids)) for ids in phrases)]
    with torch.inference_mode():
        states = library()(
            input_ids=torch.tensor([[one for ids in groups for one in ids]]),
            position_ids=torch.tensor([[at for place in places for at in place]]),
            attention_mask=sees[None, None],
        ).last_hidden_state[0]
    firsts = [int((of == number).nonzero()[0]) for number in range(1, len(groups))]
    return states[firsts].numpy()


def test_the_first_state_of_each_phrase_is_that_of_one_masked_pass(bert: Bert) -> None:
    for found, text in zip(bert.beside(TEXTS, PHRASES, TEXT_AT), TEXTS, strict=True):
        assert found.shape == (len(PHRASES), 16)
        assert np.abs(found - expected(text, PHRASES)).max() < 1e-5


def test_a_phrase_has_other_states_beside_another_text(bert: Bert) -> None:
    one, other, _ = bert.beside(TEXTS, PHRASES, TEXT_AT)
    assert (np.abs(one - other).max(axis=1) > 1e-2).all()


def test_a_text_stands_where_it_is_numbered_from(bert: Bert) -> None:
    (here,), (there,) = (bert.beside(TEXTS[:1], PHRASES, at) for at in (TEXT_AT, TEXT_AT + 8))
    assert np.abs(here - there).max() > 1e-3


def test_states_do_not_depend_on_the_phrases_and_texts_beside_them(bert: Bert) -> None:
    together = Bert(tiny_tensors(), SHAPE, num_threads=2)
    for found in (bert.beside(TEXTS, PHRASES, TEXT_AT), together.beside(TEXTS, PHRASES, TEXT_AT)):
        for text, states in zip(TEXTS, found, strict=True):
            for phrase, state in zip(PHRASES, states, strict=True):
                (alone,) = bert.beside([text], [phrase], TEXT_AT)
                assert alone[0].tobytes() == state.tobytes()
    together.close()


def test_the_weights_are_not_changed_by_a_pass(bert: Bert) -> None:
    once, again = (bert.beside(TEXTS, PHRASES, TEXT_AT) for _ in range(2))
    assert all(map(np.array_equal, once, again))


@pytest.mark.parametrize("text", [[], [0] * 41])
def test_a_text_that_has_no_positions_behind_the_phrases_is_refused(
    bert: Bert, text: list[int]
) -> None:
    with pytest.raises(ValueError, match=f"of {len(text)} tokens; 1 to 40 are read"):
        bert.beside([TEXTS[0], text], PHRASES, TEXT_AT)


@pytest.mark.parametrize("phrase", [[], [0] * 65])
def test_a_phrase_that_has_no_positions_is_refused(bert: Bert, phrase: list[int]) -> None:
    with pytest.raises(ValueError, match=f"of {len(phrase)} tokens; 1 to 64 are read"):
        bert.beside(TEXTS, [phrase], TEXT_AT)


@pytest.mark.parametrize("num_channels", [16, 64])
def test_a_compiled_kernel_gives_nearly_the_same_and_its_own_bits_every_time(
    num_channels: int,
) -> None:
    kernel = encoder_kernel()
    if kernel is None:
        pytest.skip("no compiled kernel on this machine")
    assert isinstance(kernel, CompiledKernel)
    tensors = stored(num_channels)
    plain, fast = Bert(tensors, SHAPE), Bert(tensors, SHAPE, kernel=kernel)
    found = fast.beside(TEXTS, PHRASES, TEXT_AT)
    for one, other in zip(plain.beside(TEXTS, PHRASES, TEXT_AT), found, strict=True):
        cosines = (one * other).sum(1) / np.linalg.norm(one, axis=1) / np.linalg.norm(other, axis=1)
        assert cosines.min() > 0.999
    alone = [fast.beside([text], PHRASES, TEXT_AT)[0].tobytes() for text in TEXTS]
    assert [states.tobytes() for states in found] == alone
