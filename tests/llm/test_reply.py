"""Reading a reply: the metadata line, the blanks, the placeholder, the second message."""

import re

from hypothesis import given, settings
from hypothesis import strategies as st

from llm.chats.reply import ReplyRules, ReplyText
from llm.released_texts import PLACEHOLDER, PLACEHOLDER_TEXT
from llm.tokenizers import ChatGLM3Tokenizer


def read(
    tokenizer: ChatGLM3Tokenizer, *parts: str, tool_names: tuple[str, ...] = ()
) -> tuple[list[str], list[tuple[str, str]]]:
    """Feed the parts, joined by the id that opens another message: pieces and calls."""
    rules = ReplyRules(new_part_id=tokenizer.control_id("<|assistant|>"))
    reply = ReplyText(tokenizer, rules, tool_names)
    pieces = []
    for number, part in enumerate(parts):
        if number:
            pieces.append(reply.feed(tokenizer.control_id("<|assistant|>")))
        pieces += [reply.feed(token_id) for token_id in tokenizer.encode(part)]
    return [*pieces, reply.flush()], reply.calls


def text_of(tokenizer: ChatGLM3Tokenizer, *parts: str, tool_names: tuple[str, ...] = ()) -> str:
    return "".join(read(tokenizer, *parts, tool_names=tool_names)[0])


def test_the_empty_metadata_line_is_dropped(tiny_tokenizer: ChatGLM3Tokenizer) -> None:
    assert (
        text_of(tiny_tokenizer, "\n 事故发生在五月。\nSee [1].\n ") == "事故发生在五月。\nSee [1]."
    )


def test_a_first_line_of_words_belongs_to_the_answer(tiny_tokenizer: ChatGLM3Tokenizer) -> None:
    assert text_of(tiny_tokenizer, "Yes\nat noon") == "Yes\nat noon"


def test_an_offered_tool_name_opens_a_call_that_is_no_part_of_the_answer(
    tiny_tokenizer: ChatGLM3Tokenizer,
) -> None:
    pieces, calls = read(
        tiny_tokenizer, "weather\n tool_call(city='x')\n", tool_names=("weather", "weather_map")
    )
    assert ("".join(pieces), calls) == ("", [("weather", " tool_call(city='x')\n")])


def test_the_begin_of_a_tool_name_alone_is_an_answer(tiny_tokenizer: ChatGLM3Tokenizer) -> None:
    pieces, calls = read(tiny_tokenizer, "weat", tool_names=("weather",))
    assert ("".join(pieces), calls) == ("weat", [])
    assert text_of(tiny_tokenizer, "weather is fine", tool_names=("weather",)) == "weather is fine"


def test_a_second_message_starts_on_its_own_line(tiny_tokenizer: ChatGLM3Tokenizer) -> None:
    assert text_of(tiny_tokenizer, "\n one ", "\n two") == "one\ntwo"
    assert text_of(tiny_tokenizer, "\n", "\n two") == "two"
    pieces, calls = read(
        tiny_tokenizer, "\nlet me see", "weather\nx", "\nso", tool_names=("weather",)
    )
    assert ("".join(pieces), calls) == ("let me see\nso", [("weather", "x")])


def test_the_placeholder_becomes_its_text_and_a_begun_one_stays(
    tiny_tokenizer: ChatGLM3Tokenizer,
) -> None:
    assert text_of(tiny_tokenizer, f"\n截至{PLACEHOLDER}。") == f"截至{PLACEHOLDER_TEXT}。"
    assert text_of(tiny_tokenizer, f"\n[{PLACEHOLDER}]") == f"[{PLACEHOLDER_TEXT}]"
    assert text_of(tiny_tokenizer, "\nsee [[训练") == "see [[训练"


def test_words_stream_before_the_reply_ends(tiny_tokenizer: ChatGLM3Tokenizer) -> None:
    pieces, _ = read(tiny_tokenizer, "\nThe pilot reported a loss")
    assert len([piece for piece in pieces[:-1] if piece]) > 3
    assert "The pilot reported a loss".startswith("".join(pieces[:-1]).strip())


@settings(max_examples=200, deadline=None)
@given(
    text=st.lists(
        st.one_of(
            st.sampled_from([PLACEHOLDER, "[[训", "[", " ", "\n"]),
            st.text(st.characters(codec="utf-8", exclude_characters="\u2581"), max_size=6),
        ),
        max_size=8,
    ).map("".join)
)
def test_streamed_pieces_join_to_the_stripped_text(
    tiny_tokenizer: ChatGLM3Tokenizer, text: str
) -> None:
    expected = text.replace(PLACEHOLDER, PLACEHOLDER_TEXT).strip()
    assert text_of(tiny_tokenizer, "\n" + text) == expected


def plain(tokenizer: ChatGLM3Tokenizer, rules: ReplyRules, text: str) -> list[str]:
    reply = ReplyText(tokenizer, rules)
    return [*(reply.feed(token_id) for token_id in tokenizer.encode(text)), reply.flush()]


def test_a_family_without_metadata_keeps_its_first_line(
    tiny_tokenizer: ChatGLM3Tokenizer,
) -> None:
    assert "".join(plain(tiny_tokenizer, ReplyRules(), " a\nb ")) == "a\nb"


def test_a_continuation_keeps_every_blank(tiny_tokenizer: ChatGLM3Tokenizer) -> None:
    text = " \n a [[训练时间]]\n "
    assert "".join(plain(tiny_tokenizer, ReplyRules(verbatim=True), text)) == text


def released_chatglm_reply(text: str) -> str:
    """The rule of the first generation, written as replacements over the whole text."""
    text = text.strip().replace(PLACEHOLDER, PLACEHOLDER_TEXT)
    for narrow, wide in ((",", "，"), ("!", "！"), (":", "："), (";", "；"), ("?", "？")):
        text = re.sub(rf"([\u4e00-\u9fff]){re.escape(narrow)}", rf"\1{wide}", text)
        text = re.sub(rf"{re.escape(narrow)}([\u4e00-\u9fff])", rf"{wide}\1", text)
    return text


@settings(max_examples=300, deadline=None)
@given(
    text=st.lists(
        st.sampled_from([PLACEHOLDER, "[[训", "你", "好", ",", "!", ":", ";", "?", " ", "\n", "a"]),
        max_size=12,
    ).map("".join)
)
def test_punctuation_widens_beside_chinese_as_in_the_whole_text(
    tiny_tokenizer: ChatGLM3Tokenizer, text: str
) -> None:
    pieces = plain(tiny_tokenizer, ReplyRules(widens_punctuation=True), text)
    assert "".join(pieces) == released_chatglm_reply(text)
