"""Reading a reply: the metadata line, the blanks, the placeholder, the second message."""

from hypothesis import given, settings
from hypothesis import strategies as st

from llm.reply import PLACEHOLDER, PLACEHOLDER_TEXT, ReplyText
from llm.tokenizer import ChatGLM3Tokenizer


def read(
    tokenizer: ChatGLM3Tokenizer, *parts: str, tool_names: tuple[str, ...] = ()
) -> tuple[list[str], str]:
    """Feed the parts, joined by the id that opens another message: pieces and metadata."""
    reply = ReplyText(tokenizer, tool_names)
    pieces = []
    for number, part in enumerate(parts):
        if number:
            pieces.append(reply.feed(tokenizer.control_id("<|assistant|>")))
        pieces += [reply.feed(token_id) for token_id in tokenizer.encode(part)]
    return [*pieces, reply.flush()], reply.metadata


def text_of(tokenizer: ChatGLM3Tokenizer, *parts: str, tool_names: tuple[str, ...] = ()) -> str:
    return "".join(read(tokenizer, *parts, tool_names=tool_names)[0])


def test_the_empty_metadata_line_is_dropped(tiny_tokenizer: ChatGLM3Tokenizer) -> None:
    assert (
        text_of(tiny_tokenizer, "\n 事故发生在五月。\nSee [1].\n ") == "事故发生在五月。\nSee [1]."
    )


def test_a_first_line_of_words_belongs_to_the_answer(tiny_tokenizer: ChatGLM3Tokenizer) -> None:
    assert text_of(tiny_tokenizer, "Yes\nat noon") == "Yes\nat noon"


def test_an_offered_tool_name_is_metadata(tiny_tokenizer: ChatGLM3Tokenizer) -> None:
    pieces, metadata = read(
        tiny_tokenizer, "weather\ntool_call(city='x')", tool_names=("weather", "weather_map")
    )
    assert ("".join(pieces), metadata) == ("tool_call(city='x')", "weather")


def test_the_begin_of_a_tool_name_alone_is_an_answer(tiny_tokenizer: ChatGLM3Tokenizer) -> None:
    pieces, metadata = read(tiny_tokenizer, "weat", tool_names=("weather",))
    assert ("".join(pieces), metadata) == ("weat", "")
    assert text_of(tiny_tokenizer, "weather is fine", tool_names=("weather",)) == "weather is fine"


def test_a_second_message_starts_on_its_own_line(tiny_tokenizer: ChatGLM3Tokenizer) -> None:
    assert text_of(tiny_tokenizer, "\n one ", "\n two") == "one\ntwo"
    assert text_of(tiny_tokenizer, "\n", "\n two") == "two"
    pieces, metadata = read(tiny_tokenizer, "\nlet me see", "weather\nx", tool_names=("weather",))
    assert ("".join(pieces), metadata) == ("let me see\nx", "weather")


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
            st.text(st.characters(codec="utf-8"), max_size=6),
        ),
        max_size=8,
    ).map("".join)
)
def test_streamed_pieces_join_to_the_stripped_text(
    tiny_tokenizer: ChatGLM3Tokenizer, text: str
) -> None:
    expected = text.replace(PLACEHOLDER, PLACEHOLDER_TEXT).strip()
    assert text_of(tiny_tokenizer, "\n" + text) == expected
