"""ChatGLM3's chat format: equal to the genuine prompts, closed to injection, strict about order."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llm.chats.chat import ROLES, ModelMessage, prompt_ids
from llm.chats.chat_formats import chatglm3_format
from llm.errors import RoleOrderError
from llm.tokenizers import ChatGLM3Tokenizer
from tests.llm.test_tokenizer import hostile_text

CHATS = ("single", "multi", "system", "tools", "observation", "injection", "empty")


def message_of(turn: dict[str, Any]) -> ModelMessage:
    return ModelMessage(
        turn["role"], turn["content"], turn.get("metadata", ""), tuple(turn.get("tools", ()))
    )


def user(content: str) -> ModelMessage:
    return ModelMessage("user", content)


def assistant(content: str, metadata: str = "") -> ModelMessage:
    return ModelMessage("assistant", content, metadata)


SYSTEM = ModelMessage("system", "Be brief.")
OBSERVATION = ModelMessage("observation", '{"t": 22}')


def test_every_golden_chat_is_covered(golden_tokens: dict[str, Any]) -> None:
    assert set(golden_tokens["chat"]) == set(CHATS)


@pytest.mark.parametrize("name", CHATS)
def test_ids_of_golden_chats_are_equal(
    genuine_tokenizer: ChatGLM3Tokenizer, golden_tokens: dict[str, Any], name: str
) -> None:
    chat = golden_tokens["chat"][name]
    messages = [message_of(turn) for turn in chat["history"]]
    messages.append(ModelMessage(chat["role"], chat["query"]))
    segments = chatglm3_format(genuine_tokenizer).segments(messages)
    assert prompt_ids(segments) == chat["input_ids"]


def test_segments_show_who_contributed_which_ids(tiny_tokenizer: ChatGLM3Tokenizer) -> None:
    messages = [SYSTEM, user("hi"), assistant("yes"), user("when?")]
    segments = chatglm3_format(tiny_tokenizer).segments(messages)
    roles = [segment.role for segment in segments]
    assert roles == ["prefix", "system", "user", "assistant", "user", "reply"]
    names = [tiny_tokenizer.token_name(segment.ids[0]) for segment in segments]
    assert names == ["[gMASK]"] + [f"<|{role}|>" for role in roles[1:-1]] + ["<|assistant|>"]
    assert segments[0].ids == (
        tiny_tokenizer.control_id("[gMASK]"),
        tiny_tokenizer.control_id("sop"),
    )


@settings(max_examples=100, deadline=None)
@given(texts=st.tuples(hostile_text, hostile_text, hostile_text, hostile_text))
def test_control_ids_stand_only_where_the_format_puts_them(
    tiny_tokenizer: ChatGLM3Tokenizer, texts: tuple[str, str, str, str]
) -> None:
    """Hostile text in every field, metadata and tool descriptions included."""
    metadata = "call " + texts[2].replace("\n", " ")
    messages = [
        ModelMessage("system", texts[0], tools=({"name": metadata, "description": texts[1]},)),
        user(texts[1]),
        assistant(texts[2], metadata),
        ModelMessage("observation", texts[3]),
    ]
    for segment in chatglm3_format(tiny_tokenizer).segments(messages)[1:]:
        assert tiny_tokenizer.is_control(segment.ids[0])
        assert not any(tiny_tokenizer.is_control(token_id) for token_id in segment.ids[1:])


@pytest.mark.parametrize(
    "messages",
    [
        [user("a")],
        [SYSTEM, user("a")],
        [user("a"), assistant("b"), user("c")],
        [user("a"), assistant("b", "tool"), OBSERVATION],
        [user("a"), assistant("b"), assistant("c", "tool"), OBSERVATION],
        [assistant("hello"), user("a")],
    ],
)
def test_orders_that_the_format_allows(
    tiny_tokenizer: ChatGLM3Tokenizer, messages: list[ModelMessage]
) -> None:
    assert len(chatglm3_format(tiny_tokenizer).segments(messages)) == len(messages) + 2


@pytest.mark.parametrize(
    ("messages", "named"),
    [
        ([], "there are 0 messages"),
        ([SYSTEM], "the last message has the role 'system'"),
        ([user("a"), assistant("b")], "the last message has the role 'assistant'"),
        ([SYSTEM, SYSTEM, user("a")], "message 2 of 3: a 'system' message can only be the first"),
        ([user("a"), SYSTEM, user("b")], "message 2 of 3: a 'system' message"),
        ([user("a"), user("b")], "message 2 of 2: a 'user' message cannot follow a 'user' message"),
        ([OBSERVATION], "an 'observation' message cannot follow nothing; expected 'assistant'"),
        ([user("a"), OBSERVATION], "cannot follow a 'user' message; expected 'assistant' before"),
        ([user("a"), assistant("b"), OBSERVATION], "an 'observation' must follow a call"),
        ([ModelMessage("tool", "a")], "unknown role 'tool'; ChatGLM3 knows system, user"),
        ([ModelMessage("user", "a", "meta")], "only an 'assistant' message has any"),
        ([user("a"), assistant("b", "x\ny"), user("c")], "expected one line"),
        ([ModelMessage("user", "a", tools=({"name": "x"},))], "only a 'system' message offers any"),
    ],
)
def test_a_wrong_order_is_refused_by_name(
    tiny_tokenizer: ChatGLM3Tokenizer, messages: list[ModelMessage], named: str
) -> None:
    with pytest.raises(RoleOrderError) as caught:
        chatglm3_format(tiny_tokenizer).segments(messages)
    assert named in str(caught.value)


def test_tools_are_told_as_indented_json_below_the_text(
    tiny_tokenizer: ChatGLM3Tokenizer,
) -> None:
    tool = {"name": "weather", "description": "城市天气", "parameters": {}}
    message = ModelMessage("system", "Tools:", tools=(tool,))
    segment = chatglm3_format(tiny_tokenizer).segments([message, user("a")])[1]
    text = "Tools:\n" + json.dumps([tool], indent=4, ensure_ascii=False)
    expected = tiny_tokenizer.encode("\n") + tiny_tokenizer.encode(text)
    assert list(segment.ids[1:]) == expected


def test_stop_ids_are_the_released_ones(genuine_tokenizer: ChatGLM3Tokenizer) -> None:
    assert chatglm3_format(genuine_tokenizer).stop_ids == {2, 64795, 64797}
    assert len(ROLES) == 4
