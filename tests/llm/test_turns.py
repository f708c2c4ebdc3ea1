"""Turns with calls become messages in the model's order; replies end at stop strings."""

from typing import Any

import pytest

from llm.chats.chat import ModelMessage
from llm.chats.chat_formats import chatglm2_format, chatglm3_format
from llm.chats.chat_model import ChatModel
from llm.chats.turns import ClientTurn, TurnCall, TurnReply, chat_messages
from llm.decoding import SamplingParams
from llm.errors import RoleOrderError, ToolCallError
from llm.tokenizers import ChatGLM3Tokenizer
from tests.llm.scripted_engine import scripted_model

SEEDED = SamplingParams(temperature=1.2, top_p=0.95, seed=5, max_tokens=40)
QUESTION = [ModelMessage("user", "什么时候发生的？")]
CALLS = (TurnCall("a", "look", '{"at": "泵"}'), TurnCall("b", "count", "{}"))


def test_each_call_is_followed_by_its_own_result(tiny_tokenizer: ChatGLM3Tokenizer) -> None:
    turns = [
        ClientTurn("user", "q"),
        ClientTurn("assistant", "I look.", CALLS),
        ClientTurn("tool", "two", call_id="b"),
        ClientTurn("tool", "a pump", call_id="a"),
    ]
    chat_format = chatglm3_format(tiny_tokenizer)
    messages = chat_messages(turns, chat_format)
    assert [(m.role, m.metadata) for m in messages] == [
        ("user", ""),
        ("assistant", ""),
        ("assistant", "look"),
        ("observation", ""),
        ("assistant", "count"),
        ("observation", ""),
    ]
    assert "tool_call(at='泵')" in messages[2].content
    assert [messages[3].content, messages[5].content] == ["a pump", "two"]
    assert chat_format.segments(messages)


def test_user_turns_that_follow_each_other_become_one(tiny_tokenizer: ChatGLM3Tokenizer) -> None:
    turns = [
        ClientTurn("system", "s"),
        ClientTurn("user", "a"),
        ClientTurn("user", "b"),
        ClientTurn("user", "c"),
    ]
    messages = chat_messages(turns, chatglm3_format(tiny_tokenizer))
    assert messages == [ModelMessage("system", "s"), ModelMessage("user", "a\n\nb\n\nc")]


def test_tools_are_offered_by_the_system_message(tiny_tokenizer: ChatGLM3Tokenizer) -> None:
    tools: list[dict[str, Any]] = [{"name": "look", "description": "", "parameters": {}}]
    chat_format = chatglm3_format(tiny_tokenizer)
    alone = chat_messages([ClientTurn("user", "q")], chat_format, tools)
    assert alone[0] == ModelMessage("system", "", tools=tuple(tools))
    joined = chat_messages([ClientTurn("system", "s"), ClientTurn("user", "q")], chat_format, tools)
    assert joined[0] == ModelMessage("system", "s", tools=tuple(tools))
    assert [message.role for message in joined] == ["system", "user"]


@pytest.mark.parametrize(
    ("turns", "error"),
    [
        ([ClientTurn("wizard", "x")], RoleOrderError),
        ([ClientTurn("observation", "x")], RoleOrderError),
        ([ClientTurn("user", "q"), ClientTurn("tool", "x", call_id="z")], RoleOrderError),
        (
            [ClientTurn("user", "q"), ClientTurn("assistant", "", (TurnCall("a", "f", "[1]"),))],
            ToolCallError,
        ),
    ],
)
def test_turns_that_cannot_be_written_are_refused(
    tiny_tokenizer: ChatGLM3Tokenizer, turns: list[ClientTurn], error: type[Exception]
) -> None:
    with pytest.raises(error):
        chat_messages(turns, chatglm3_format(tiny_tokenizer))


def test_a_model_that_calls_no_tools_refuses_an_earlier_call(
    tiny_tokenizer: ChatGLM3Tokenizer,
) -> None:
    turns = [ClientTurn("user", "q"), ClientTurn("assistant", "", CALLS)]
    with pytest.raises(RoleOrderError, match="calls no tools"):
        chat_messages(turns, chatglm2_format(tiny_tokenizer))


def test_a_reply_ends_in_front_of_a_stop_string(chat_model: ChatModel) -> None:
    full = TurnReply(chat_model.chat(QUESTION, SEEDED))
    text = "".join(full)
    assert full.end == full.reply.finish_reason
    stop = text[len(text) // 2 :][:3]
    turn = TurnReply(chat_model.chat(QUESTION, SEEDED), [stop])
    assert "".join(turn) == text[: text.index(stop)]
    assert (turn.end, turn.calls) == ("stop", ())
    assert turn.reply.usage.completion_tokens < full.reply.usage.completion_tokens


def test_new_tokens_are_told_once_and_without_the_stop_id(chat_model: ChatModel) -> None:
    turn = TurnReply(chat_model.chat(QUESTION, SEEDED))
    told = [token for _ in turn for token in turn.new_tokens()] + [*turn.new_tokens()]
    ids = [token.id for token in told]
    assert ids == [t.id for t in turn.reply.tokens if t.finish_reason != "stop"]
    assert not turn.new_tokens()


def test_a_call_that_cannot_be_read_keeps_the_models_own_words(
    tiny_tokenizer: ChatGLM3Tokenizer,
) -> None:
    model = scripted_model(tiny_tokenizer, "look\ntool_call(at=open('x'))")
    offer = ModelMessage("system", "", tools=({"name": "look", "parameters": {}},))
    turn = TurnReply(model.chat([offer, *QUESTION]))
    assert list(turn) == []
    assert turn.end == "tool_calls"
    (call,) = turn.calls
    assert (call.name, call.arguments) == ("look", "tool_call(at=open('x'))")


def test_a_closed_reply_has_no_end(chat_model: ChatModel) -> None:
    turn = TurnReply(chat_model.chat(QUESTION, SEEDED))
    next(turn)
    turn.close()
    assert list(turn) == []
    assert turn.end is None
    assert chat_model.engine.num_free_pages > 0
