"""Quotations under the constraint: verbatim whatever the model would rather say."""

import random
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llm.chats.chat_model import ChatModel
from llm.constraints import CallConstraint, QuoteConstraint, QuoteVocabulary, Restriction
from llm.decoding import SamplingParams

PIECES = [b"", "“".encode(), "”".encode(), b'"', "说“".encode(), "“我".encode(), "锅炉".encode()]
PIECES += [bytes([byte]) for byte in range(256)] + [
    b" fire",
    b"fire",
    "炉".encode(),
    "”。".encode(),
]
SOURCE = "3月2日，锅炉房起火。The fire was out at 14:30."


def token_bytes(token_id: int) -> bytes:
    return PIECES[token_id]


VOCABULARY = QuoteVocabulary.of(token_bytes, len(PIECES))


def ids_of(text: bytes) -> list[int]:
    return [PIECES.index(piece) for piece in (bytes([b]) for b in text)]


def after(text: bytes, sources: Sequence[str] = (SOURCE,)) -> Restriction | None:
    return QuoteConstraint(sources, VOCABULARY, token_bytes).restriction(ids_of(text))


def pieces_after(text: bytes) -> set[bytes]:
    restriction = after(text)
    assert restriction is not None
    assert not restriction.forbids
    return {PIECES[token_id] for token_id in restriction.ids}


def test_outside_quotations_only_tokens_that_open_a_false_one_are_forbidden() -> None:
    restriction = after("他说：".encode())
    assert restriction is not None
    assert restriction.forbids
    assert {PIECES[token_id] for token_id in restriction.ids} == {"“我".encode()}


def test_a_quotation_starts_where_a_character_of_a_source_starts() -> None:
    allowed = pieces_after("他说“".encode())
    assert {"锅炉".encode(), b"fire", b" fire", b"3"} <= allowed
    assert "”".encode() not in allowed
    assert b"\x94" not in allowed  # the middle of a character


def test_a_quotation_goes_on_as_a_source_does_and_may_close_after_whole_characters() -> None:
    assert pieces_after("“锅".encode()) == {"炉".encode(), "炉".encode()[:1], "”".encode()}
    assert "”".encode() not in pieces_after("“锅".encode() + "炉".encode()[:2])
    assert pieces_after(b'"out at 14:30.') == {b'"'}


def test_words_in_no_source_leave_only_the_closing_mark() -> None:
    assert pieces_after(b'"zzz') == {b'"'}
    assert after(b'"zzz" and') == after(b"plain")


@settings(max_examples=60, deadline=None)
@given(rng=st.randoms(use_true_random=False))
def test_whatever_is_chosen_every_quotation_is_verbatim(rng: random.Random) -> None:
    constraint = QuoteConstraint((SOURCE, "另一份“报告”写道"), VOCABULARY, token_bytes)
    generated: list[int] = []
    for _ in range(60):
        restriction = constraint.restriction(generated)
        ids = set(range(1, len(PIECES)))
        if restriction:
            ids = ids - set(restriction.ids) if restriction.forbids else set(restriction.ids)
        if rng.random() < 0.2 and 1 in ids:
            ids = {1}
        generated.append(rng.choice(sorted(ids)))
    text = b"".join(map(token_bytes, generated))
    while b'"' in text or "“".encode() in text:
        starts = [(text.find(mark), mark) for mark in VOCABULARY.marks if mark in text]
        start, mark = min(starts)
        inside, closing, rest = text[start + len(mark) :].partition(VOCABULARY.marks[mark])
        assert inside in SOURCE.encode() or inside in "另一份“报告”写道".encode()
        if not closing:
            break
        text = rest


def test_a_model_that_babbles_quotes_the_source(chat_model: ChatModel) -> None:
    source = "The pilot reported a loss of engine power shortly after takeoff."
    vocabulary = QuoteVocabulary.of(chat_model.tokenizer.token_bytes, chat_model.tokenizer.num_ids)
    mark = chat_model.tokenizer.encode('"')
    if vocabulary.id_of.get(b'"') != mark[-1]:
        pytest.skip("the tiny tokenizer has no quotation mark of its own")
    inside = QuoteConstraint((source,), vocabulary, chat_model.tokenizer.token_bytes)
    inside._read(b'"')
    params = SamplingParams(temperature=1.5, top_p=1, seed=4, max_tokens=40)
    tokens = chat_model.engine.generate([5, 3, 8], params, constraint=inside)
    text = b"".join(chat_model.tokenizer.token_bytes(token.id) for token in tokens)
    assert text.partition(b'"')[0].decode() in source


def test_only_ids_that_go_on_with_an_opening_are_allowed() -> None:
    rule = CallConstraint([(5, 6, 9), (5, 7, 9), (4, 9)])
    assert rule.restriction([]) == Restriction([4, 5])
    assert rule.restriction([5]) == Restriction([6, 7])
    assert rule.restriction([5, 7]) == Restriction([9])
    assert rule.restriction([4]) == Restriction([9])


def test_behind_a_complete_opening_everything_is_allowed() -> None:
    rule = CallConstraint([(5, 6), (5, 6, 7)])
    assert rule.restriction([5, 6]) is None
    assert rule.restriction([5, 6, 1, 2, 3]) is None
