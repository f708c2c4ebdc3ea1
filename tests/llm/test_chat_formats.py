"""The other families' chats: rounds, GLM-4's tools, GLM-Edge; and which format a model needs."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from llm.chats.chat import ModelMessage, prompt_ids
from llm.chats.chat_formats import (
    ChatFormat,
    chat_format,
    chatglm2_format,
    chatglm3_format,
    chatglm_format,
    glm4_format,
    glm_edge_format,
)
from llm.errors import CheckpointError, InvalidPrompt, RoleOrderError, UnsupportedCheckpoint
from llm.released_texts import CHATGLM3_INTERPRETER, CHATGLM3_TOOLS
from llm.tokenizers import (
    ChatGLM2Tokenizer,
    ChatGLM3Tokenizer,
    ChatGLMTokenizer,
    GLM4Tokenizer,
    GlmTokenizer,
    Tokenizer,
)
from tests.llm.tiny_tokenizers import write_ice_text, write_ranks, write_tokenizer_json

WEATHER = {"name": "weather", "description": "城市天气", "parameters": {"type": "object"}}
HISTORY = [
    ModelMessage("user", "你好"),
    ModelMessage("assistant", "你好👋"),
    ModelMessage("user", "晚安"),
]
SYSTEM = ModelMessage("system", "Be brief.")


@pytest.fixture(scope="module")
def chatglm(tmp_path_factory: pytest.TempPathFactory) -> Tokenizer:
    return ChatGLMTokenizer(write_ice_text(tmp_path_factory.mktemp("v1") / "ice_text.model"))


@pytest.fixture(scope="module")
def chatglm2(tiny_tokenizer_file: Path) -> Tokenizer:
    return ChatGLM2Tokenizer(tiny_tokenizer_file)


@pytest.fixture(scope="module")
def glm4(tmp_path_factory: pytest.TempPathFactory) -> Tokenizer:
    return GLM4Tokenizer(write_ranks(tmp_path_factory.mktemp("glm4") / "tokenizer.model"))


@pytest.fixture(scope="module")
def glm(tmp_path_factory: pytest.TempPathFactory) -> Tokenizer:
    return GlmTokenizer(write_tokenizer_json(tmp_path_factory.mktemp("glm") / "tokenizer.json"))


def shown(tokenizer: Tokenizer, ids: list[int]) -> str:
    """Control tokens by name, text as itself."""
    text = b""
    for token_id in ids:
        is_control = tokenizer.is_control(token_id)
        name = f"{{{tokenizer.token_name(token_id)}}}".encode()
        text += name if is_control else tokenizer.token_bytes(token_id)
    return text.decode()


def prompt_of(chats: ChatFormat, tokenizer: Tokenizer, messages: list[ModelMessage]) -> str:
    return shown(tokenizer, prompt_ids(chats.segments(messages)))


def test_the_first_generation_reads_a_lone_question_as_it_is(chatglm: Tokenizer) -> None:
    chats = chatglm_format(chatglm)
    ids = prompt_ids(chats.segments([ModelMessage("user", "你好")]))
    end = [chatglm.control_id("[gMASK]"), chatglm.control_id("<sop>")]
    assert ids == chatglm.encode("你好") + end
    assert chats.stop_ids == {chatglm.control_id("<eop>")}


def test_the_first_generation_counts_rounds_from_0(chatglm: Tokenizer) -> None:
    text = "[Round 0]\n问：你好\n答：你好👋\n[Round 1]\n问：晚安\n答："
    ids = prompt_ids(chatglm_format(chatglm).segments(HISTORY))
    assert ids[:-2] == chatglm.encode(text)


def test_the_second_generation_counts_rounds_from_1(chatglm2: Tokenizer) -> None:
    expected = "{[gMASK]}{sop} [Round 1]\n\n问：你好\n\n答：你好👋\n\n[Round 2]\n\n问：晚安\n\n答："
    assert prompt_of(chatglm2_format(chatglm2), chatglm2, HISTORY) == expected
    assert chatglm2_format(chatglm2).stop_ids == {2}


@pytest.mark.parametrize("make", [chatglm_format, chatglm2_format])
def test_rounds_have_no_system_role_so_its_text_opens_the_first_question(
    make: Callable[[Tokenizer], ChatFormat], chatglm: Tokenizer, chatglm2: Tokenizer
) -> None:
    chats = make(chatglm if make is chatglm_format else chatglm2)
    joined = [ModelMessage("user", "Be brief.你好"), *HISTORY[1:]]
    assert chats.segments([SYSTEM, *HISTORY]) == chats.segments(joined)


@pytest.mark.parametrize(
    ("messages", "named"),
    [
        ([*HISTORY, HISTORY[0]], "'user' message cannot follow a 'user' message"),
        ([HISTORY[1], HISTORY[0]], "'assistant' message cannot follow nothing"),
        ([SYSTEM, SYSTEM, HISTORY[0]], "a 'system' message can only be the first"),
        (HISTORY[:2], "the last message has the role 'assistant'; expected 'user'"),
        ([HISTORY[0], ModelMessage("observation", "x")], "unknown role 'observation'; ChatGLM2"),
        ([ModelMessage("system", "", tools=(WEATHER,)), HISTORY[0]], "no message of ChatGLM2"),
        ([HISTORY[0], ModelMessage("assistant", "x", "weather"), HISTORY[2]], "metadata is"),
        ([], "there are 0 messages"),
    ],
)
def test_rounds_refuse_what_they_cannot_write(
    chatglm2: Tokenizer, messages: list[ModelMessage], named: str
) -> None:
    with pytest.raises(RoleOrderError) as caught:
        chatglm2_format(chatglm2).segments(messages)
    assert named in str(caught.value)


def test_glm4_writes_roles_metadata_and_content(glm4: Tokenizer) -> None:
    messages = [
        SYSTEM,
        HISTORY[0],
        ModelMessage("assistant", '{"x": 1}', "weather"),
        ModelMessage("observation", "22"),
        ModelMessage("observation", "23"),
    ]
    assert prompt_of(glm4_format(glm4), glm4, messages) == (
        "{[gMASK]}{<sop>}{<|system|>}\nBe brief.{<|user|>}\n你好{<|assistant|>}weather\n"
        '{"x": 1}{<|observation|>}\n22{<|observation|>}\n23{<|assistant|>}'
    )


def test_glm4_tells_its_tools_before_the_callers_system_text(glm4: Tokenizer) -> None:
    wrapped = {"type": "function", "function": WEATHER}
    messages = [ModelMessage("system", "Be brief.", tools=(wrapped,)), HISTORY[0]]
    segments = glm4_format(glm4).segments(messages)
    assert [part.role for part in segments] == ["prefix", "system", "system", "user", "reply"]
    tools = shown(glm4, list(segments[1].ids))
    described = json.dumps(WEATHER, indent=4, ensure_ascii=False)
    assert f"# 可用工具\n\n## weather\n\n{described}\n在调用" in tools
    assert "名为 GLM-4 的" in tools
    assert shown(glm4, list(segments[2].ids)) == "{<|system|>}\nBe brief."


def test_glm4_stops_at_its_end_and_at_the_turns_of_others(glm4: Tokenizer) -> None:
    names = ("<|endoftext|>", "<|user|>", "<|observation|>")
    assert glm4_format(glm4).stop_ids == {glm4.control_id(name) for name in names}


def test_glm_edge_has_no_prefix_and_one_text_for_each_message(glm: Tokenizer) -> None:
    messages = [SYSTEM, ModelMessage("user", "\nhi")]
    expected = "{<|system|>}\nBe brief.{<|user|>}\n\nhi{<|assistant|>}"
    chats = glm_edge_format(glm)
    assert prompt_of(chats, glm, messages) == expected
    assert list(chats.segments(messages)[1].ids[1:]) == glm.encode("\n\nhi")
    with pytest.raises(RoleOrderError, match="unknown role 'observation'; GLM-Edge"):
        chats.segments([*messages, ModelMessage("observation", "x")])
    with pytest.raises(RoleOrderError, match="GLM-Edge calls no tools"):
        chats.call_message("weather", "{}")


def test_a_base_model_continues_plain_text(
    tiny_tokenizer: ChatGLM3Tokenizer, chatglm: Tokenizer, glm: Tokenizer
) -> None:
    def continued(chats: ChatFormat, tokenizer: Tokenizer) -> str:
        return shown(tokenizer, prompt_ids(chats.continuation("<|user|>hi")))

    assert continued(chatglm3_format(tiny_tokenizer), tiny_tokenizer) == (
        "{[gMASK]}{sop} <|user|>hi"
    )
    assert continued(chatglm_format(chatglm), chatglm) == " <|user|>hi{[gMASK]}{<sop>}"
    assert continued(glm_edge_format(glm), glm) == "<|user|>hi"


def test_chatglm3_without_words_of_its_own_introduces_tools_and_interpreter(
    tiny_tokenizer: ChatGLM3Tokenizer,
) -> None:
    def system_of(*tools: dict[str, Any], content: str = "") -> str:
        messages = [ModelMessage("system", content, tools=tools), HISTORY[0]]
        segment = chatglm3_format(tiny_tokenizer).segments(messages)[1]
        return tiny_tokenizer.decode(segment.ids).removeprefix("\n ")

    described = json.dumps([WEATHER], indent=4, ensure_ascii=False)
    assert system_of(WEATHER) == f"{CHATGLM3_TOOLS}\n{described}"
    assert system_of({"type": "function", "function": WEATHER}) == system_of(WEATHER)
    assert system_of({"type": "python"}) == CHATGLM3_INTERPRETER
    with pytest.raises(InvalidPrompt, match="offered alone; there are 2 tools: python, weather"):
        system_of({"type": "python"}, WEATHER)


@pytest.mark.parametrize(
    ("tool", "named"),
    [
        ({"description": "x"}, "the name None"),
        ({"name": ""}, "the name ''"),
        ({"name": "a\nb"}, "expected one line"),
        ({"name": 3}, "the name 3"),
        ({"type": "function", "function": "x"}, "the name None"),
        ({"type": "telepathy"}, "the type 'telepathy'; expected 'function'"),
        ({"name": "x", "parameters": float("nan")}, "is no JSON"),
        ({"name": "x", "parameters": object()}, "is no JSON"),
        ({"name": "x", "description": "\ud800"}, "lone surrogate"),
    ],
)
@pytest.mark.parametrize("make", [chatglm3_format, glm4_format])
def test_a_tool_that_cannot_be_described_is_refused(
    make: Callable[[Tokenizer], ChatFormat],
    tiny_tokenizer: ChatGLM3Tokenizer,
    glm4: Tokenizer,
    tool: dict[str, Any],
    named: str,
) -> None:
    chats = make(tiny_tokenizer if make is chatglm3_format else glm4)
    with pytest.raises(InvalidPrompt) as caught:
        chats.segments([ModelMessage("system", "", tools=(tool,)), HISTORY[0]])
    assert named in str(caught.value)


def test_the_family_chooses_the_format(
    chatglm: Tokenizer,
    chatglm2: Tokenizer,
    tiny_tokenizer: ChatGLM3Tokenizer,
    glm4: Tokenizer,
    glm: Tokenizer,
) -> None:
    assert chat_format("chatglm1", chatglm) == chatglm_format(chatglm)
    assert chat_format("chatglm2", chatglm2) == chatglm2_format(chatglm2)
    assert chat_format("chatglm3", tiny_tokenizer) == chatglm3_format(tiny_tokenizer)
    of_glm4, of_glm, of_edge = (
        chat_format("glm4", glm4),
        chat_format("glm", glm),
        chat_format("glm", glm, has_prefix=False),
    )
    assert len(of_glm4.segments(HISTORY)) == len(of_glm.segments(HISTORY)) == 5
    assert len(of_edge.segments(HISTORY)) == 4
    with pytest.raises(UnsupportedCheckpoint, match="'chatglm9'; chats are known for chatglm1"):
        chat_format("chatglm9", glm4)


def test_a_tokenizer_without_the_formats_control_tokens_is_refused(chatglm2: Tokenizer) -> None:
    with pytest.raises(CheckpointError, match=r"has no control token '<\|system\|>'"):
        chat_format("chatglm3", chatglm2)
