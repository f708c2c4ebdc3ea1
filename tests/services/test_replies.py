"""What a model writes beside its answer is dropped, wherever the pieces of its stream end."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kb_service.services.replies import ReplyFilter


def passed(*pieces: str) -> str:
    reply = ReplyFilter()
    return "".join([*map(reply.feed, pieces), reply.flush()])


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("<think>Let me see.</think>The pump failed.", "The pump failed."),
        ("One. <THINKING>hm\n</thinking> Two.", "One.  Two."),
        ("One. <think>and so on", "One. "),
        ("hm</think>The pump failed.", "hmThe pump failed."),
        ("<|assistant|>\nThe pump failed.<|endoftext|>", "\nThe pump failed."),
        ("It failed.<|user|>And then?<|assistant|> It burnt.", "It failed. It burnt."),
        ("It failed.<|observation|>42", "It failed."),
        ("[gMASK]sop It failed. [gMASK]<sop>", " It failed. "),
        ("Assistant: It failed.\n**Assistant:** It burnt.", "It failed.\nIt burnt."),
        ("助手：水泵损坏。", "水泵损坏。"),
    ],
)
def test_thoughts_and_marks_of_roles_are_dropped(written: str, said: str) -> None:
    assert passed(written) == said
    assert passed(*written) == said


@pytest.mark.parametrize(
    "words",
    ["a < b and [1]", "The assistant: a man", "The SOP was old. sop", "<thin> [MASKS", "x <|y"],
)
def test_words_that_only_look_alike_pass(words: str) -> None:
    assert passed(words) == passed(*words) == words


def test_a_sentence_is_passed_on_before_the_next_one_ends() -> None:
    assert ReplyFilter().feed("The pump failed on 3 March. Mr") == "The pump failed on 3 March. Mr"


PARTS = st.sampled_from(
    ["<think>", "</think>", "<|user|>", "<|assistant|>", "[gMASK]", "sop", "Assistant:", "\n", " ",
     "a", "It failed. ", "<", "|", "[", "as", "sistant: x", "**"]
)  # fmt: skip


@settings(deadline=None)  # a shared machine pauses at will
@given(parts=st.lists(PARTS, max_size=12), cuts=st.lists(st.integers(1, 9), max_size=40))
def test_the_words_do_not_depend_on_the_pieces(parts: list[str], cuts: list[int]) -> None:
    text = "".join(parts)
    pieces, place = [], 0
    for length in cuts:
        pieces.append(text[place : place + length])
        place += length
    assert passed(*pieces, text[place:]) == passed(text) == passed(*text)
