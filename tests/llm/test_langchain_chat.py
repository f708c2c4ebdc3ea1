"""A tiny checkpoint behind LangChain's interface: whole, streamed, stopped, with tools."""

import asyncio
from contextlib import closing

import pytest
from langchain_core.messages import (
    AIMessage,
    AIMessageChunk,
    BaseMessage,
    HumanMessage,
    SystemMessage,
    ToolMessage,
    trim_messages,
)
from langchain_core.output_parsers import StrOutputParser
from langchain_core.prompts import ChatPromptTemplate
from langchain_core.tools import tool

from llm.chats.chat_model import ChatModel
from llm.chats.langchain_chat import LocalChatGLM
from llm.errors import PromptTooLong
from llm.tokenizers import ChatGLM3Tokenizer
from tests.llm.scripted_engine import scripted_model

QUESTION = [SystemMessage("Be brief."), HumanMessage("什么时候发生的？")]
CALLED = "look\n```python\ntool_call(at='泵')\n```"


@tool
def look(at: str) -> str:
    """Look at something."""
    return at


@pytest.fixture(scope="module")
def chat(chat_model: ChatModel) -> LocalChatGLM:
    return LocalChatGLM(model=chat_model, temperature=1.2, top_p=0.95, seed=5, max_tokens=40)


def test_a_message_has_text_usage_and_the_reason_to_end(
    chat: LocalChatGLM, chat_model: ChatModel
) -> None:
    message = chat.invoke(QUESTION)
    assert isinstance(message, AIMessage)
    assert message.text
    usage = message.usage_metadata
    assert usage is not None
    assert usage["total_tokens"] == usage["input_tokens"] + usage["output_tokens"]
    assert 0 < usage["output_tokens"] <= 40
    assert message.response_metadata["finish_reason"] in ("stop", "length")
    assert message.response_metadata["model_name"] == chat_model.folder.name


def test_the_stream_joins_to_the_whole_message(chat: LocalChatGLM) -> None:
    chunks = list(chat.stream(QUESTION))
    assert len(chunks) > 3
    whole = chunks[0]
    for chunk in chunks[1:]:
        whole = whole + chunk
    message = chat.invoke(QUESTION)
    assert whole.content == message.content
    assert isinstance(whole, AIMessageChunk) and isinstance(message, AIMessage)
    assert whole.usage_metadata and message.usage_metadata
    assert whole.usage_metadata["output_tokens"] == message.usage_metadata["output_tokens"]


def test_a_stop_string_cuts_and_a_parameter_of_the_call_wins(chat: LocalChatGLM) -> None:
    text = str(chat.invoke(QUESTION).content)
    stop = text[len(text) // 2 :][:3]
    stopped = chat.invoke(QUESTION, stop=[stop])
    assert stopped.content == text[: text.index(stop)]
    assert stopped.response_metadata["finish_reason"] == "stop"
    short = chat.invoke(QUESTION, max_tokens=2)
    assert short.response_metadata["finish_reason"] == "length"
    with pytest.raises(ValueError, match="no parameter 'colour'"):
        chat.invoke(QUESTION, colour=1)


def test_it_works_in_a_chain_and_asynchronously(chat: LocalChatGLM) -> None:
    chain = ChatPromptTemplate.from_messages([("human", "{q}")]) | chat | StrOutputParser()
    expected = chain.invoke({"q": "x"})
    assert asyncio.run(chain.ainvoke({"q": "x"})) == expected


def test_a_closed_stream_frees_the_model(chat: LocalChatGLM, chat_model: ChatModel) -> None:
    chat.invoke(QUESTION)
    num_free = chat_model.engine.num_free_pages
    with closing(chat.stream(QUESTION)) as stream:  # type: ignore[type-var]  # it is a generator
        next(stream)
        assert chat_model.engine.num_free_pages < num_free
    assert chat_model.engine.num_free_pages == num_free


def test_tools_are_offered_called_and_answered(tiny_tokenizer: ChatGLM3Tokenizer) -> None:
    calling = scripted_model(tiny_tokenizer, CALLED)
    model = LocalChatGLM(model=calling, temperature=0)
    message = model.bind_tools([look]).invoke("Look at the pump.")
    assert message.content == ""
    (call,) = message.tool_calls
    assert (call["name"], call["args"]) == ("look", {"at": "泵"})
    assert message.response_metadata["finish_reason"] == "tool_calls"
    told = [HumanMessage("Look."), message, ToolMessage("a pump", tool_call_id=call["id"] or "")]
    assert model.bind_tools([look]).invoke(told).tool_calls[0]["name"] == "look"
    prompt = tiny_tokenizer.decode(calling.engine.prompts[-1])  # type: ignore[attr-defined]  # scripted
    assert '"name": "look"' in prompt
    assert "tool_call(at='泵')" in prompt
    assert prompt.endswith("a pump")


@pytest.mark.parametrize("choice", ["any", "required", "look"])
def test_a_random_model_calls_when_it_has_to(chat: LocalChatGLM, choice: str) -> None:
    message = chat.bind_tools([look], tool_choice=choice).invoke("Hello")
    assert isinstance(message, AIMessage)
    if message.response_metadata["finish_reason"] == "tool_calls":
        calls = [*message.tool_calls, *message.invalid_tool_calls]
        assert calls[0]["name"] == "look"
    assert message.content == ""


def test_what_the_model_cannot_do_is_refused(chat: LocalChatGLM) -> None:
    with pytest.raises(ValueError, match="tool_choice is 'other'"):
        chat.bind_tools([look], tool_choice="other")
    image = HumanMessage([{"type": "image_url", "image_url": {"url": "x"}}])
    with pytest.raises(ValueError, match="'image_url'; expected text"):
        chat.invoke([image])
    with pytest.raises(PromptTooLong):
        chat.invoke("火" * 50_000)


def test_a_content_of_text_blocks_is_its_text(chat: LocalChatGLM) -> None:
    blocks = HumanMessage([{"type": "text", "text": "what "}, "failed?"])
    plain = HumanMessage("what failed?")
    assert chat.invoke([blocks]).content == chat.invoke([plain]).content


def test_tokens_are_counted_by_the_models_own_tokenizer(
    chat: LocalChatGLM, chat_model: ChatModel
) -> None:
    ids = chat_model.tokenizer.encode("what failed? 泵")
    assert chat.get_token_ids("what failed? 泵") == ids
    assert chat.get_num_tokens("what failed? 泵") == len(ids)
    assert chat.get_num_tokens("") == len(chat_model.tokenizer.encode(""))
    own = chat.model_copy(update={"custom_get_token_ids": lambda text: [0] * len(text)})
    assert own.get_num_tokens("abc") == 3


def test_messages_are_counted_as_the_prompt_they_become(chat: LocalChatGLM) -> None:
    usage = chat.invoke(QUESTION).usage_metadata
    assert usage is not None
    assert chat.get_num_tokens_from_messages(QUESTION) == usage["input_tokens"]
    offered = chat.get_num_tokens_from_messages(QUESTION, [look])
    assert offered > usage["input_tokens"] + chat.get_num_tokens("Look at something.")


@pytest.mark.parametrize(
    "part",
    [
        [AIMessage("It leaked.")],
        [ToolMessage("a pump", tool_call_id="c1")],
        [AIMessage("", tool_calls=[{"id": "c1", "name": "look", "args": {"at": "pump"}}])],
        [SystemMessage("Be brief."), SystemMessage("And kind.")],
    ],
)
def test_a_part_of_a_chat_is_counted_too(chat: LocalChatGLM, part: list[BaseMessage]) -> None:
    words = sum(chat.get_num_tokens(str(message.content)) for message in part)
    assert words < chat.get_num_tokens_from_messages(part) <= words + 40 * len(part)
    assert chat.get_num_tokens_from_messages(part, [look]) > words


def test_a_long_chat_is_trimmed_to_what_the_model_takes(chat: LocalChatGLM) -> None:
    turns = [HumanMessage("what failed? " * 20), AIMessage("the pump " * 20)] * 6
    asked: list[BaseMessage] = [SystemMessage("Be brief."), *turns, HumanMessage("when?")]
    limit = chat.get_num_tokens_from_messages(asked) // 2
    kept = trim_messages(
        asked, max_tokens=limit, token_counter=chat, include_system=True, start_on="human"
    )
    assert 2 < len(kept) < len(asked)
    assert chat.get_num_tokens_from_messages(kept) <= limit
    assert (kept[0], kept[-1]) == (asked[0], asked[-1])
