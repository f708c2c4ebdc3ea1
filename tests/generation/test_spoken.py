"""What a model says without what it thinks: marks of every form, cut anywhere."""

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kb_service.generation.spoken import SpokenWords, UnopenedThought

ANSWER = "The mass of crane seven is 41 tonnes."
THOUGHT = "Crane nine weighs 77 tonnes? No."


def spoken(
    *pieces: str, thinks_first: bool | None = False, is_cut: bool = False
) -> tuple[str, bool | None]:
    words = SpokenWords(thinks_first)
    said = "".join([words.feed(piece) for piece in pieces] + [words.flush(is_cut=is_cut)])
    return said.strip(), words.thinks_first


THOUGHT_ALOUD = [
    f"<think>{THOUGHT}</think> {ANSWER}",
    f"<THINK>\n{THOUGHT}\n</Think>\n\n{ANSWER}",
    f"<thinking>{THOUGHT}</thinking>{ANSWER}",
    f'<think duration="3">{THOUGHT}</think>{ANSWER}',
    f"＜think＞{THOUGHT}＜／think＞{ANSWER}",
    f"◁think▷{THOUGHT}◁/think▷{ANSWER}",
    f"[THINK]{THOUGHT}[/THINK]{ANSWER}",
    f"<seed:think>{THOUGHT}</seed:think>{ANSWER}",
    f"<|begin_of_thought|>{THOUGHT}<|end_of_thought|>{ANSWER}",
    f"<think>a <think>b</think> {THOUGHT}</think> {ANSWER}",
    f"<think>a</think> {ANSWER}<think>{THOUGHT}</think>",
    f"<think>{THOUGHT} Is <think> a word?</think> {ANSWER}",
    f"<think></think>\n\n{ANSWER}",
    f"<think>{THOUGHT}</think><answer>{ANSWER}</answer>",
    f"<|channel|>analysis<|message|>{THOUGHT}<|end|><|channel|>final<|message|>{ANSWER}<|return|>",
]
WITH_TOKENS = [
    f"{ANSWER}<|user|>",
    f"{ANSWER}<|endoftext|>Next question: {THOUGHT}",
    f"{ANSWER}<|im_end|>\n<|im_start|>user\n{THOUGHT}",
    f"{ANSWER}</s>",
    f"{ANSWER}<｜end▁of▁sentence｜>",
    f"{ANSWER}<end_of_turn>\n",
    f"<|assistant|>\n{ANSWER}",
    f"<|im_start|>assistant\n{ANSWER}<|im_end|>",
    f"<|start_header_id|>assistant<|end_header_id|>\n\n{ANSWER}<|eot_id|>",
    f"<start_of_turn>model\n{ANSWER}<end_of_turn>",
    "The mass of crane seven is <|begin_of_box|>41<|end_of_box|> tonnes.",
]
PLAIN = [
    ANSWER,
    "If the pressure is < 5 bar, and p > 3 bar, open valve <3>.",
    "Write List<String> and </b> [think] [1] [a](b) <s>old</s> new.",
    "It ended <",
    "See <https://host.example/a-long-path/that-never-ends-and-goes-on-for-more-than-sixty-chars",
    "model assistant\nsaid so.",
    "",
]


@pytest.mark.parametrize("thinks_first", [False, None])
@pytest.mark.parametrize("reply", THOUGHT_ALOUD + WITH_TOKENS)
def test_thoughts_and_role_tokens_are_no_part_of_the_answer(
    reply: str, thinks_first: bool | None
) -> None:
    assert spoken(reply, thinks_first=thinks_first)[0] == ANSWER
    assert spoken(*reply, thinks_first=thinks_first)[0] == ANSWER


@pytest.mark.parametrize("thinks_first", [False, None, True])
@pytest.mark.parametrize("text", PLAIN)
def test_no_other_word_is_lost(text: str, thinks_first: bool | None) -> None:
    assert spoken(text, thinks_first=thinks_first)[0] == text
    assert spoken(*text, thinks_first=thinks_first)[0] == text


@settings(max_examples=200, deadline=None)
@given(
    st.sampled_from(THOUGHT_ALOUD + WITH_TOKENS + PLAIN),
    st.lists(st.integers(0, 200), max_size=8),
)
def test_where_a_stream_is_cut_changes_nothing(reply: str, cuts: list[int]) -> None:
    places = [0, *sorted(cuts), len(reply)]
    pieces = [reply[a:b] for a, b in pairwise(places)]
    assert spoken(*pieces) == spoken(reply)


@pytest.mark.parametrize("is_cut", [False, True])
def test_a_thought_that_never_ends_is_no_answer(is_cut: bool) -> None:
    assert spoken(f"<think>{THOUGHT} {ANSWER}", is_cut=is_cut)[0] == ""
    assert spoken(f"{ANSWER} <think>{THOUGHT}", is_cut=is_cut)[0] == ANSWER
    assert spoken(f"<think>a<think>b</think>{THOUGHT}", is_cut=True)[0] == ""


def test_a_reply_that_begins_inside_a_thought_is_held_back_until_its_end() -> None:
    reply = f"{THOUGHT}</think>\n\n{ANSWER}"
    assert spoken(*reply, thinks_first=None) == (ANSWER, True)
    assert spoken(*reply, thinks_first=True) == (ANSWER, True)
    assert spoken(THOUGHT, thinks_first=True, is_cut=True) == ("", True)
    assert spoken(ANSWER, thinks_first=None) == (ANSWER, False)
    assert spoken(ANSWER, thinks_first=True) == (ANSWER, True)


def test_words_already_given_that_prove_to_be_a_thought_are_a_failure() -> None:
    words = SpokenWords(thinks_first=False)
    assert words.feed(THOUGHT) == THOUGHT
    with pytest.raises(UnopenedThought):
        words.feed("</think>")
    assert words.thinks_first


def test_words_are_given_as_soon_as_they_are_certain() -> None:
    words = SpokenWords(thinks_first=False)
    assert words.feed("The mass <") == "The mass "
    assert words.feed(" 5 bar.") == ""
    assert words.feed("x" * 60) == "< 5 bar." + "x" * 60
    assert words.feed("<think>hm</thi") == ""
    assert words.feed("nk> It is") == " It is"
